// Map: an atlas as a map with a slider, a search, and the series of what is chosen.

import { atlasOf } from "./atlas.js";
import { Board } from "./board.js";
import { Chosen } from "./chosen.js";
import { Dates } from "./dates.js";
import { Hand } from "./hand.js";
import { drawLegend, drawScale } from "./legend.js";
import { counted, digitsFor } from "./numbers.js";
import { Search } from "./search.js";
import { Sheet } from "./sheet.js";
import { NOTHING } from "./shapes.js";
import { Tip } from "./tip.js";
import { View } from "./view.js";

// Pixels below which a zone that is searched for is come closer to.
const SPECK = 12;

// Make the map in its place; gives the board, by which it is driven.
export async function mapOf(root, given) {
  const atlas = await atlasOf(given), board = new Board(atlas), { shapes } = atlas;
  const view = new View(shapes.whole, shapes.narrowing), canvas = root.querySelector(".sheet"), written = digitsFor(atlas.step);
  const sheet = new Sheet(board, canvas, view), hand = new Hand(board, canvas, view);
  const show = (zone) => {
    const box = shapes.box(zone), speck = Math.max(box.right - box.left, box.top - box.bottom) * view.scale < SPECK;
    if (shapes.kinds[zone] !== NOTHING && (speck || !inside(box, view.box))) view.show(around(box, shapes.whole));
    board.moved();
  };
  new Tip(board, root.querySelector(".tip"), hand, written);
  new Dates(board, root.querySelector(".dates"));
  new Chosen(board, root.querySelector(".side"), written);
  new Search(board, root.querySelector(".search"), show);
  drawLegend(atlas, root);
  board.on("change", () => drawScale(root, view, shapes.metres));
  board.on("date", () => tell(root, board));
  const zooms = { closer: () => view.zoom(1.6), farther: () => view.zoom(1 / 1.6), whole: () => view.show(shapes.whole) };
  for (const button of root.querySelectorAll(".zoom button")) button.addEventListener("click", () => board.moved(zooms[button.dataset.do]()));
  tell(root, board);
  new ResizeObserver(() => board.moved()).observe(canvas);
  root.setAttribute("aria-busy", "false");
  // For whoever drives the page from outside.
  root.map = { atlas, board, view, sheet, show };
  return root.map;
}

// What is seen of the date in one sentence; where there is nothing, why.
function tell(root, { atlas, date }) {
  const empty = root.querySelector(".empty");
  empty.hidden = !atlas.empty;
  empty.textContent = !atlas.zones ? "There are no zones." : `No zone has a value of ${atlas.column}.`;
  const without = atlas.counts.filter((count) => !count).length, noun = atlas.times.dated ? "date" : "layer";
  const pale = without && !atlas.empty ? ` ${counted(without, noun)} ${without === 1 ? "has" : "have"} none at all, pale above the slider.` : "";
  root.querySelector(".told").textContent = atlas.dates
    ? `${atlas.times.names[date]}: ${atlas.counts[date].toLocaleString("en")} of ${counted(atlas.zones, "zone")} with a value of ${atlas.column}.${atlas.fixed === null ? pale : ""}`
    : "No date has a row.";
}

function inside(box, seen) {
  return box.left >= seen.left && box.right <= seen.right && box.bottom >= seen.bottom && box.top <= seen.top;
}

// A zone among its neighbours; of a point a share of the whole.
function around({ left, bottom, right, top }, whole) {
  const x = (left + right) / 2, y = (bottom + top) / 2;
  const size = Math.max(right - left, top - bottom) || Math.max(whole.right - whole.left, whole.top - whole.bottom) / 50;
  return { left: x - 5 * size, right: x + 5 * size, bottom: y - 5 * size, top: y + 5 * size };
}
