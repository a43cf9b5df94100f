// Shapes: outlines of zones in whole numbers, x to the east and y to the north, and what lies where.

import { unpacked } from "./packed.js";

// What a zone is drawn as.
export const NOTHING = 0;
export const AREA = 1;
export const LINE = 2;
export const POINT = 3;
const MOST_CELLS = 256;

export async function shapesOf(given) {
  const names = ["kinds", "parts", "sizes", "x", "y"];
  const [kinds, parts, sizes, x, y] = await Promise.all(names.map((name) => unpacked(given[name])));
  return new Shapes(kinds, starts(parts), starts(sizes), path(x), path(y), given);
}

export class Shapes {
  constructor(kinds, parts, corners, x, y, { degrees, metres, step, origin }) {
    Object.assign(this, { kinds, parts, corners, x, y, degrees, step, origin });
    this.count = kinds.length;
    this.boxes = this.boxed();
    this.whole = this.extent();
    // Metres of a step to the north, and how much shorter one to the east is.
    this.metres = metres && metres * step;
    const middle = origin[1] + (this.whole.bottom + this.whole.top) / 2 * step;
    this.narrowing = degrees ? Math.max(0.05, Math.cos(middle * Math.PI / 180)) : 1;
    this.index = this.indexed();
  }

  // Call with the places of first and last corner of each part of a zone.
  each(zone, call) {
    for (let part = this.parts[zone]; part < this.parts[zone + 1]; part++) call(this.corners[part], this.corners[part + 1]);
  }

  boxed() {
    const boxes = new Float64Array(4 * this.count).fill(NaN);
    for (let zone = 0; zone < this.count; zone++) {
      if (this.kinds[zone] === NOTHING) continue;
      const [from, to] = [this.corners[this.parts[zone]], this.corners[this.parts[zone + 1]]];
      let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = from; i < to; i++) {
        left = Math.min(left, this.x[i]);
        right = Math.max(right, this.x[i]);
        bottom = Math.min(bottom, this.y[i]);
        top = Math.max(top, this.y[i]);
      }
      boxes.set([left, bottom, right, top], 4 * zone);
    }
    return boxes;
  }

  box(zone) {
    const [left, bottom, right, top] = this.boxes.subarray(4 * zone, 4 * zone + 4);
    return { left, bottom, right, top };
  }

  extent() {
    let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < this.boxes.length; i += 4) {
      if (Number.isNaN(this.boxes[i])) continue;
      left = Math.min(left, this.boxes[i]);
      bottom = Math.min(bottom, this.boxes[i + 1]);
      right = Math.max(right, this.boxes[i + 2]);
      top = Math.max(top, this.boxes[i + 3]);
    }
    return left <= right ? { left, bottom, right, top } : { left: 0, bottom: 0, right: 1, top: 1 };
  }

  // Zones by the cells of a grid that their boxes meet.
  indexed() {
    const side = Math.min(MOST_CELLS, Math.max(1, Math.round(Math.sqrt(this.count / 2))));
    const { left, bottom, right, top } = this.whole;
    const wide = Math.max(1, right - left) / side, high = Math.max(1, top - bottom) / side;
    const cells = new Map();
    const cell = (value, low, size) => Math.min(side - 1, Math.max(0, Math.floor((value - low) / size)));
    const cover = (box) => [cell(box.left, left, wide), cell(box.right, left, wide), cell(box.bottom, bottom, high), cell(box.top, bottom, high)];
    for (let zone = 0; zone < this.count; zone++) {
      if (this.kinds[zone] === NOTHING) continue;
      const [west, east, south, north] = cover(this.box(zone));
      for (let row = south; row <= north; row++) {
        for (let col = west; col <= east; col++) {
          const key = row * side + col;
          if (!cells.has(key)) cells.set(key, []);
          cells.get(key).push(zone);
        }
      }
    }
    return { side, cells, cover };
  }

  // Zones whose boxes may meet a box, each once.
  near(box) {
    const { side, cells, cover } = this.index, [west, east, south, north] = cover(box), found = new Set();
    for (let row = south; row <= north; row++) {
      for (let col = west; col <= east; col++) for (const zone of cells.get(row * side + col) ?? []) found.add(zone);
    }
    return found;
  }

  // The zone at a place: the smallest that holds it, else the nearest within reach; -1 if there is none.
  at(x, y, reach) {
    const across = reach / this.narrowing;
    let [best, least, nearest, distance] = [-1, Infinity, -1, reach];
    for (const zone of this.near({ left: x - across, right: x + across, bottom: y - reach, top: y + reach })) {
      const { left, bottom, right, top } = this.box(zone);
      const size = (right - left) * (top - bottom);
      if (this.kinds[zone] === AREA && size < least && this.holds(zone, x, y)) [best, least] = [zone, size];
      const away = this.kinds[zone] === LINE ? this.beside(zone, x, y)
        : Math.hypot((x - (left + right) / 2) * this.narrowing, y - (bottom + top) / 2);
      if (away < distance) [nearest, distance] = [zone, away];
    }
    return best >= 0 ? best : nearest;
  }

  holds(zone, x, y) {
    let inside = false;
    this.each(zone, (from, to) => {
      for (let i = from, k = to - 1; i < to; k = i++) {
        const crosses = this.y[i] > y !== this.y[k] > y;
        if (crosses && x < (this.x[k] - this.x[i]) * (y - this.y[i]) / (this.y[k] - this.y[i]) + this.x[i]) inside = !inside;
      }
    });
    return inside;
  }

  beside(zone, x, y) {
    let least = Infinity;
    this.each(zone, (from, to) => {
      for (let i = from; i + 1 < to; i++) {
        const [dx, dy] = [(this.x[i + 1] - this.x[i]) * this.narrowing, this.y[i + 1] - this.y[i]];
        const [px, py] = [(x - this.x[i]) * this.narrowing, y - this.y[i]];
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy || 1)));
        least = Math.min(least, Math.hypot(px - along * dx, py - along * dy));
      }
    });
    return least;
  }
}

// Where each begins, and the last ends.
function starts(counts) {
  const found = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) found[i + 1] = found[i] + counts[i];
  return found;
}

// Places from steps, of which 0, 1, 2, 3, … mean 0, −1, 1, −2, …
function path(steps) {
  const places = new Float64Array(steps.length);
  let at = 0;
  for (let i = 0; i < steps.length; i++) {
    at += steps[i] % 2 ? -(steps[i] + 1) / 2 : steps[i] / 2;
    places[i] = at;
  }
  return places;
}
