// Answer: the numbers of an area, and its histogram.

import { element } from "./marks.js";
import { area, told } from "./numbers.js";
import { binned, counted, draw } from "./histogram.js";

export const NAMES = {
  count: "Count", mean: "Mean", min: "Least", max: "Largest", std: "Standard deviation", median: "Median",
  sum: "Sum", range: "Range", p10: "10th percentile", p90: "90th percentile", majority: "Most frequent",
  minority: "Least frequent", unique: "Different values", nodata: "Without data",
};
const AREAS = { aoi_area: "Area", data_area: "Area with data" };

export function show(root, question, figures, ramp, unit) {
  const { histogram, freq_hist, ...numbers } = figures;
  root.querySelector("#figures").replaceChildren(...Object.entries(numbers).map(([name, value]) => figure(name, value)));
  root.querySelector("#json pre").textContent = JSON.stringify({ question, answer: figures }, null, 2);
  root.hidden = false;
  root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  chart(root.querySelector("#histogram"), { histogram, freq_hist }, { ramp, mean: numbers.mean, unit });
}

function figure(name, value) {
  const [text, unit] = name in AREAS && value !== null ? area(value) : [told(value), ""];
  const data = element("data", { value: String(value), "data-name": name, title: String(value) }, text);
  return element("div", {}, element("dt", {}, NAMES[name] ?? AREAS[name] ?? name),
    element("dd", {}, data, ...(unit ? [" ", element("small", {}, unit)] : [])));
}

// Classes have a bar each; other values are dropped into bins.
function chart(root, { histogram, freq_hist }, how) {
  const bars = freq_hist ? counted(freq_hist) : histogram ? binned(histogram) : [];
  root.hidden = !bars.length;
  if (bars.length) draw(root, bars, { ...how, classes: Boolean(freq_hist) });
}
