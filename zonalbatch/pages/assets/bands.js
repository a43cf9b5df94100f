// Bands: quantiles of all zones over time, and series of single ones among them.

import { Plot } from "./lines.js";
import { element, mark } from "./marks.js";
import { told } from "./numbers.js";

export function drawBands(figure, { column, lines }, times) {
  const svg = figure.querySelector("svg"), width = Math.max(280, figure.clientWidth || 900);
  const plot = new Plot(svg, { width, height: 250, times, values: lines.flat() }), [p5, p25, p50, p75, p95] = lines;
  svg.setAttribute("aria-label", `Quantiles of ${column} over time`);
  const dots = p50.map((value, date) => (value === null ? null : mark("circle", { cx: plot.x(date), cy: plot.y(value), r: 2.2, class: "median" },
    mark("title", {}, `${times.names[date]}: median ${told(value)}, half of the zones from ${told(p25[date])} to ${told(p75[date])}`)))).filter(Boolean);
  svg.replaceChildren(...plot.axes(), mark("path", { class: "outer", d: plot.band(p5, p95) }), mark("path", { class: "inner", d: plot.band(p25, p75) }), mark("path", { class: "median", d: plot.line(p50) }), ...dots);
  figure.querySelector("figcaption").textContent = dots.length
    ? "Median (line), the middle half (dark) and nine tenths (pale) of the zones that have a value; dates without any are passed over."
    : `${column} has no value on any date.`;
}

// A small chart of each series, all to one scale.
export function drawSeries(list, series, bands, times) {
  const known = [...series.flatMap(({ values }) => values), ...bands.lines[1], ...bands.lines[3]];
  const figures = series.map((one) => element("figure", { class: "small" }, element("h3", {}, one.id), element("p", {}, one.why), mark("svg")));
  list.replaceChildren(...figures);
  figures.forEach((figure, i) => drawOne(figure, series[i], bands, times, known));
}

function drawOne(figure, { id, values }, { lines }, times, known) {
  const svg = figure.querySelector("svg"), width = Math.max(240, figure.clientWidth || 320);
  const plot = new Plot(svg, { width, height: 170, times, values: known, ticks: 5 });
  svg.setAttribute("aria-label", `Series of ${id}`);
  const dots = values.map((value, date) => (value === null ? null : mark("circle", { class: "dot", cx: plot.x(date), cy: plot.y(value), r: 2.2 }, mark("title", {}, `${times.names[date]}: ${told(value)}`)))).filter(Boolean);
  svg.replaceChildren(...plot.axes(), mark("path", { class: "half", d: plot.band(lines[1], lines[3]) }), mark("path", { class: "median", d: plot.line(lines[2]) }), mark("path", { class: "line", d: plot.line(values) }), ...dots);
}
