// Histogram: how much of the area has which values, in the colours of the raster.

import { mark } from "./marks.js";
import { compact, round, short, told } from "./numbers.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 24, 26];

// Bars from bins {edges, counts}.
export function binned({ edges, counts }) {
  return counts.map((count, i) => ({ from: edges[i], to: edges[i + 1], value: (edges[i] + edges[i + 1]) / 2, count,
    name: `${short(edges[i])} to ${short(edges[i + 1])}` }));
}

// Bars from the counts of each value, side by side.
export function counted(classes) {
  const pairs = Object.entries(classes).map(([value, count]) => [Number(value), count]).sort((a, b) => a[0] - b[0]);
  return pairs.map(([value, count], i) => ({ from: i, to: i + 1, value, count, name: short(value) }));
}

// Draw bars into a figure; `mean` is marked where the axis is one of values.
export function draw(figure, bars, { ramp, mean, unit, classes }) {
  const chart = figure.querySelector("svg");
  const width = figure.clientWidth || 600, height = 240;
  const most = Math.max(...bars.map((bar) => bar.count)), [first, last] = [bars[0].from, bars.at(-1).to];
  const x = (value) => LEFT + (value - first) / (last - first) * (width - LEFT - RIGHT);
  const y = (count) => height - BOTTOM - count / most * (height - TOP - BOTTOM);
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", summary(bars, unit));
  chart.replaceChildren(
    ...rules(most, y, width), ...bars.map((bar) => column(bar, x, y, ramp, unit)),
    ...names(bars, x, height, classes), ...(mean === undefined || classes ? [] : average(mean, x, height)),
  );
  figure.querySelector("figcaption").textContent = `${unit[0].toUpperCase()}${unit.slice(1)} by value${classes ? "" : `, in ${bars.length} bins`}`;
}

function rules(most, y, width) {
  const step = round(most / 2), counts = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
  return counts.flatMap((count) => [
    mark("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(count), y2: y(count) }),
    mark("text", { x: LEFT - 8, y: y(count) + 4, "text-anchor": "end" }, compact(count)),
  ]);
}

function column({ from, to, value, count, name }, x, y, ramp, unit) {
  const box = { x: x(from), y: y(count), width: Math.max(1, x(to) - x(from)), height: Math.max(0, y(0) - y(count)) };
  const title = mark("title", {}, `${name}: ${told(count)} ${unit}`);
  return mark("g", {}, mark("rect", { ...box, class: "bar", fill: ramp.colour(value) }), title);
}

function names(bars, x, height, classes) {
  const text = (at, what, anchor) => mark("text", { x: at, y: height - 8, "text-anchor": anchor }, what);
  if (!classes) {
    const [first, last] = [bars[0].from, bars.at(-1).to];
    return [[first, "start"], [(first + last) / 2, "middle"], [last, "end"]].map(([value, anchor]) => text(x(value), short(value), anchor));
  }
  const every = Math.ceil(bars.length * 44 / Math.max(1, x(bars.length) - x(0)));
  return bars.filter((_, i) => i % every === 0).map(({ from, to, name }) => text((x(from) + x(to)) / 2, name, "middle"));
}

function average(mean, x, height) {
  const left = x(mean) > 120;
  return [
    mark("line", { class: "mean", x1: x(mean), x2: x(mean), y1: 4, y2: height - BOTTOM }),
    mark("text", { class: "mean-name", x: x(mean) + (left ? -6 : 6), y: 13, "text-anchor": left ? "end" : "start" }, `mean ${short(mean)}`),
  ];
}

function summary(bars, unit) {
  const most = bars.reduce((best, bar) => (bar.count > best.count ? bar : best));
  return `Histogram of ${bars.length} bars; most, ${told(most.count)} ${unit}, are ${most.name}`;
}
