// Lines: bands and series over time, as paths that stop where there is no value.

import { timeTicks, valueTicks, widened } from "./axes.js";
import { mark } from "./marks.js";

const [LEFT, RIGHT, TOP] = [42, 12, 10];

export class Plot {
  constructor(svg, { width, height, times, values, ticks = 5 }) {
    const { dated, at, names } = times, known = values.filter((one) => one !== null);
    const [low, high] = known.length ? widened(known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b)), ticks) : [0, 1];
    const places = dated ? at : names.map((_, i) => i), first = places[0], span = places.at(-1) - first || 1;
    const bottom = height - (dated ? 36 : 22);
    Object.assign(this, { svg, width, height, dated, names, places, low, high, bottom, ticks });
    this.x = (date) => LEFT + 4 + (places[date] - first) / span * (width - LEFT - RIGHT - 8);
    this.y = (value) => bottom - 3 - (value - low) / (high - low) * (bottom - 3 - TOP);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.setAttribute("role", "img");
  }

  axes() {
    const { width, bottom, y } = this;
    const values = valueTicks(this.low, this.high, this.ticks).flatMap(({ at, name }) => [
      mark("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(at), y2: y(at) }),
      mark("text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, name),
    ]);
    return [...values, ...(this.dated ? this.months(bottom) : this.layers(bottom))];
  }

  months(bottom) {
    const { places, width } = this, first = places[0], span = places.at(-1) - first || 1;
    const x = (at) => LEFT + 4 + (at - first) / span * (width - LEFT - RIGHT - 8);
    return timeTicks(first, places.at(-1), Math.max(2, Math.floor((width - LEFT - RIGHT) / 56))).flatMap(({ at, name, year }) => [
      mark("line", { class: "rule", x1: x(at), x2: x(at), y1: TOP, y2: bottom + 4 }),
      mark("text", { x: x(at), y: bottom + 17, "text-anchor": "middle" }, name),
      ...(year ? [mark("text", { x: x(at), y: bottom + 31, "text-anchor": "middle" }, year)] : []),
    ]);
  }

  layers(bottom) {
    const every = Math.ceil(this.names.length / Math.max(1, Math.floor(this.width / 110)));
    return this.names.map((name, i) => ({ name, i })).filter(({ i }) => i % every === 0).map(({ name, i }) =>
      mark("text", { x: this.x(i), y: bottom + 16, "text-anchor": "middle" }, name.length > 15 ? `${name.slice(0, 14)}…` : name));
  }

  // Dates without a value are passed over.
  line(values) {
    return values.map((value, date) => ({ value, date })).filter(({ value }) => value !== null)
      .map(({ value, date }, i) => `${i ? "L" : "M"}${this.x(date).toFixed(1)} ${this.y(value).toFixed(1)}`).join("") || "M0 0";
  }

  band(lower, upper) {
    const dates = lower.map((_, date) => date).filter((date) => lower[date] !== null), place = (values) => (date) => `${this.x(date).toFixed(1)} ${this.y(values[date]).toFixed(1)}`;
    return dates.length ? `M${[...dates.map(place(upper)), ...dates.toReversed().map(place(lower))].join("L")}Z` : "M0 0";
  }
}
