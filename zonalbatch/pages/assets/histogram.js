// Histogram: how the values of a column are distributed.

import { valueTicks } from "./axes.js";
import { element, mark } from "./marks.js";
import { told } from "./numbers.js";

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [54, 14, 22, 26, 200];

export function chooseHistogram(select, figure, all) {
  select.replaceChildren(...all.map(({ column }, i) => element("option", { value: i }, column)));
  const draw = () => drawHistogram(figure, all[Number(select.value)]);
  select.addEventListener("change", draw);
  select.parentElement.hidden = all.length < 2;
  return draw;
}

function drawHistogram(figure, { column, edges, counts, below, above, stride, median }) {
  const svg = figure.querySelector("svg"), caption = figure.querySelector("figcaption"), width = Math.max(280, figure.clientWidth || 900);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("height", counts.length ? HEIGHT : 0);
  if (!counts.length) {
    svg.replaceChildren();
    caption.textContent = `${column} has no value at all.`;
    return;
  }
  const most = Math.max(...counts), [first, last] = [edges[0], edges.at(-1)];
  const x = (value) => LEFT + (value - first) / (last - first) * (width - LEFT - RIGHT);
  const y = (count) => HEIGHT - BOTTOM - count / most * (HEIGHT - TOP - BOTTOM);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Histogram of ${column} from ${told(first)} to ${told(last)}, median ${told(median)}`);
  const bins = counts.map((count, i) => mark("rect", { class: "bin", x: x(edges[i]) + 0.5, y: y(count), width: Math.max(1, x(edges[i + 1]) - x(edges[i]) - 1), height: y(0) - y(count) },
    mark("title", {}, `${told(edges[i])} to ${told(edges[i + 1])}: ${(count * stride).toLocaleString("en")} rows`)));
  const left = x(median) > width - 130;
  svg.replaceChildren(
    ...valueTicks(0, most * stride, 3).flatMap(({ at, name }) => [
      mark("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(at / stride), y2: y(at / stride) }),
      mark("text", { x: LEFT - 7, y: y(at / stride) + 4, "text-anchor": "end" }, at >= 1e4 ? at.toLocaleString("en", { notation: "compact" }) : name),
    ]),
    ...bins,
    ...valueTicks(first, last, Math.max(4, Math.floor(width / 110))).map(({ at, name }) => mark("text", { x: x(at), y: HEIGHT - 8, "text-anchor": "middle" }, name)),
    mark("line", { class: "median", x1: x(median), x2: x(median), y1: 6, y2: HEIGHT - BOTTOM }),
    mark("text", { x: x(median) + (left ? -6 : 6), y: 14, "text-anchor": left ? "end" : "start" }, `median ${told(median)}`),
  );
  const beyond = [below && `${(below * stride).toLocaleString("en")} below ${told(first)}`, above && `${(above * stride).toLocaleString("en")} above ${told(last)}`].filter(Boolean);
  caption.textContent = `Rows by ${column}${beyond.length ? `; not drawn: ${beyond.join(", ")}` : ""}.`;
}
