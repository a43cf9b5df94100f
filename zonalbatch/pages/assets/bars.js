// Bars: rows by date, stacked by what became of them.

import { valueTicks } from "./axes.js";
import { element, mark } from "./marks.js";
import { counted } from "./numbers.js";

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [54, 8, 10, 24, 210];
const WORDS = { ok: "values", partial: "read in part", filtered: "too little is clear", empty: "no valid cell", failed: "could not be read" };

export function drawBars(figure, { names, bars }) {
  const svg = figure.querySelector("svg"), width = Math.max(280, figure.clientWidth || 900);
  const kinds = Object.keys(bars), totals = names.map((_, i) => kinds.reduce((sum, kind) => sum + bars[kind][i], 0));
  const most = Math.max(1, ...totals), gap = (width - LEFT - RIGHT) / Math.max(1, names.length), wide = Math.max(1, Math.min(46, gap * 0.8));
  const y = (count) => HEIGHT - BOTTOM - count / most * (HEIGHT - TOP - BOTTOM);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("height", HEIGHT);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Rows of ${names.length} bars, ${names[0]} to ${names.at(-1)}`);
  const groups = names.map((name, i) => bar(name, i, kinds, bars, LEFT + (i + 0.5) * gap, wide, y));
  svg.replaceChildren(...rules(most, y, width), ...groups, ...labels(names, gap, width));
  figure.querySelector("figcaption").replaceChildren(...kinds.map((kind) => element("span", { class: `key status-${kind}` }, element("i"), WORDS[kind] ?? kind)));
}

function bar(name, at, kinds, bars, middle, wide, y) {
  let base = 0;
  const pieces = kinds.filter((kind) => bars[kind][at]).map((kind) => {
    const count = bars[kind][at], top = y(base + count), high = y(base) - top;
    base += count;
    return mark("rect", { class: `status-${kind}`, x: middle - wide / 2, y: top, width: wide, height: Math.max(0.6, high) });
  });
  const told = kinds.filter((kind) => bars[kind][at]).map((kind) => `${WORDS[kind] ?? kind}: ${bars[kind][at].toLocaleString("en")}`).join("\n");
  return mark("g", {}, ...pieces, mark("title", {}, `${name}, ${counted(base, "row")}\n${told}`));
}

function rules(most, y, width) {
  return valueTicks(0, most, 4).filter(({ at }) => Number.isInteger(at)).flatMap(({ at }) => [
    mark("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(at), y2: y(at) }),
    mark("text", { x: LEFT - 7, y: y(at) + 4, "text-anchor": "end" }, at.toLocaleString("en", { notation: at >= 1e5 ? "compact" : "standard" })),
  ]);
}

// As many names as have room, the first of them at the first bar.
function labels(names, gap, width) {
  const longest = Math.max(0, ...names.map((name) => Math.min(16, name.length))), room = longest * 6.6 + 18, every = Math.max(1, Math.ceil(room / gap));
  const short = names.map((name, i) => ({ name: name.length > 16 ? `${name.slice(0, 15)}…` : name, x: LEFT + (i + 0.5) * gap }));
  const fits = ({ name, x }) => x + name.length * 3.3 <= width || names.length === 1;
  return short.filter((_, i) => i % every === 0).filter(fits).map(({ name, x }) => {
    return mark("text", { x, y: HEIGHT - 7, "text-anchor": "middle" }, name);
  });
}
