// Sheet: the zones on a canvas, in the colours of their values.

import { COLOURS, STEPS, stepOf } from "./ramp.js";
import { AREA, LINE, NOTHING, POINT } from "./shapes.js";

// Pixels below which a zone is a square, and from which on it has an edge.
const TINY = 4;
const EDGED = 9;

export class Sheet {
  constructor(board, canvas, view) {
    Object.assign(this, { board, canvas, view, due: false, shown: "" });
    // Zones are drawn beside the screen, and again only where they look different.
    this.base = document.createElement("canvas");
    this.pen = this.base.getContext("2d");
    this.context = canvas.getContext("2d");
    this.theme();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.theme();
      this.shown = "";
      this.ask();
    });
    new ResizeObserver(([{ contentRect }]) => this.resize(contentRect)).observe(canvas);
    board.on("change", () => this.ask());
  }

  theme() {
    const style = getComputedStyle(this.canvas);
    this.colours = Object.fromEntries(["panel", "ink", "none", "hatch", "edge"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.marks = Array.from({ length: 6 }, (_, i) => style.getPropertyValue(`--mark-${i}`).trim());
    this.hatch = this.hatched();
  }

  hatched() {
    const tile = document.createElement("canvas"), size = 7;
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.fillStyle = this.colours.none;
    pen.fillRect(0, 0, size, size);
    pen.strokeStyle = this.colours.hatch;
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const at of [-size, 0, size]) {
      pen.moveTo(at - 1, size + 1);
      pen.lineTo(at + size + 1, -1);
    }
    pen.stroke();
    return this.pen.createPattern(tile, "repeat");
  }

  resize({ width, height }) {
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    for (const one of [this.canvas, this.base]) [one.width, one.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.shown = "";
    this.view.resize(width, height);
    this.draw();
  }

  // Draw once before the next picture, however often that is asked for.
  ask() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.due = false;
    const { context, view, board } = this, ratio = devicePixelRatio || 1;
    const look = [view.x, view.y, view.scale, board.date].join(" ");
    if (look !== this.shown) this.zones(ratio);
    this.shown = look;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.base, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.outlined();
    if (board.cross) this.crossed();
  }

  zones(ratio) {
    const { pen, view } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    const steps = this.sorted();
    this.fill(steps.get(-1) ?? [], this.hatch, this.colours.hatch);
    for (let step = 0; step < STEPS; step++) if (steps.has(step)) this.fill(steps.get(step), COLOURS[step], this.colours.edge);
  }

  // Zones in sight by the step of their colour; -1 of those without a value.
  sorted() {
    const { board, view } = this, { atlas, date } = board, { shapes } = atlas, [low, high] = atlas.range;
    const seen = view.box, steps = new Map();
    for (let zone = 0; zone < shapes.count; zone++) {
      if (shapes.kinds[zone] === NOTHING) continue;
      const at = 4 * zone, boxes = shapes.boxes;
      if (boxes[at] > seen.right || boxes[at + 2] < seen.left || boxes[at + 1] > seen.top || boxes[at + 3] < seen.bottom) continue;
      const value = atlas.value(zone, date), step = Number.isNaN(value) ? -1 : stepOf(value, low, high);
      if (!steps.has(step)) steps.set(step, []);
      steps.get(step).push(zone);
    }
    return steps;
  }

  // Each zone by itself: one path of all of them takes many times as long.
  fill(zones, colour, edge) {
    const { pen } = this;
    [pen.fillStyle, pen.lineWidth] = [colour, 0.8];
    for (const zone of zones) this.paint(zone, colour, edge);
  }

  paint(zone, colour, edge) {
    const { pen, view } = this, { shapes } = this.board.atlas, kind = shapes.kinds[zone], box = shapes.box(zone);
    const wide = (box.right - box.left) * view.scale * view.narrowing, high = (box.top - box.bottom) * view.scale;
    if (kind !== POINT && wide < TINY && high < TINY) return this.speck(box, wide, high);
    const path = new Path2D();
    if (kind === POINT) shapes.each(zone, (from, to) => this.dots(path, from, to));
    else this.corners(zone, path, kind === AREA);
    if (kind === LINE) return this.stroke(path, colour, 2.5);
    pen.fill(path, "nonzero");
    if (kind === POINT || Math.max(wide, high) > EDGED) this.stroke(path, edge, 0.8);
  }

  stroke(path, colour, wide) {
    [this.pen.strokeStyle, this.pen.lineWidth] = [colour, wide];
    this.pen.stroke(path);
  }

  corners(zone, path, closed) {
    const { view } = this, { shapes } = this.board.atlas;
    const across = view.scale * view.narrowing, left = view.width / 2 - view.x * across, top = view.height / 2 + view.y * view.scale;
    shapes.each(zone, (from, to) => {
      path.moveTo(left + shapes.x[from] * across, top - shapes.y[from] * view.scale);
      for (let i = from + 1; i < to; i++) path.lineTo(left + shapes.x[i] * across, top - shapes.y[i] * view.scale);
      if (closed) path.closePath();
    });
  }

  dots(path, from, to) {
    const { shapes } = this.board.atlas, radius = shapes.count > 5000 ? 2 : 5;
    for (let i = from; i < to; i++) {
      const [x, y] = this.view.pixel(shapes.x[i], shapes.y[i]);
      path.moveTo(x + radius, y);
      path.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }

  speck(box, wide, high) {
    const [x, y] = this.view.pixel((box.left + box.right) / 2, (box.bottom + box.top) / 2), w = Math.max(1.5, wide), h = Math.max(1.5, high);
    this.pen.fillRect(x - w / 2, y - h / 2, w, h);
  }

  // The zone under the pointer and those that were chosen, which have a number.
  outlined() {
    const { board } = this;
    if (board.hovered >= 0) this.outline(board.hovered, this.colours.ink, 2);
    board.slots.forEach((zone, slot) => {
      if (zone < 0) return;
      this.outline(zone, this.marks[slot], 3.2);
      this.badge(zone, slot);
    });
  }

  outline(zone, colour, wide) {
    const { context, view } = this, { shapes } = this.board.atlas, path = new Path2D(), box = shapes.box(zone);
    if (shapes.kinds[zone] === NOTHING) return;
    const small = shapes.kinds[zone] === POINT || Math.max(box.right - box.left, box.top - box.bottom) * view.scale < 6;
    if (small) {
      const [x, y] = view.pixel((box.left + box.right) / 2, (box.bottom + box.top) / 2);
      path.arc(x, y, 7, 0, 2 * Math.PI);
    } else this.corners(zone, path, shapes.kinds[zone] === AREA);
    context.lineJoin = "round";
    [context.strokeStyle, context.lineWidth] = [this.colours.panel, wide + 2.5];
    context.stroke(path);
    [context.strokeStyle, context.lineWidth] = [colour, wide];
    context.stroke(path);
  }

  badge(zone, slot) {
    const { context, view } = this, { shapes } = this.board.atlas, box = shapes.box(zone);
    if (shapes.kinds[zone] === NOTHING) return;
    const [x, y] = view.pixel((box.left + box.right) / 2, box.top);
    context.beginPath();
    context.arc(x, y - 4, 9, 0, 2 * Math.PI);
    [context.strokeStyle, context.lineWidth] = [this.colours.panel, 2];
    context.stroke();
    context.fillStyle = this.marks[slot];
    context.fill();
    [context.fillStyle, context.font, context.textAlign, context.textBaseline] = [this.colours.panel, "700 11px system-ui, sans-serif", "center", "middle"];
    context.fillText(String(slot + 1), x, y - 3.5);
  }

  crossed() {
    const { context, view } = this, x = Math.round(view.width / 2), y = Math.round(view.height / 2);
    for (const [colour, wide] of [[this.colours.panel, 4], [this.colours.ink, 1.5]]) {
      [context.strokeStyle, context.lineWidth] = [colour, wide];
      context.beginPath();
      context.moveTo(x - 11, y);
      context.lineTo(x + 11, y);
      context.moveTo(x, y - 11);
      context.lineTo(x, y + 11);
      context.stroke();
    }
  }
}
