// Report: the page of a run: charts where there is something to draw.

import { drawBands, drawSeries } from "./bands.js";
import { drawBars } from "./bars.js";
import { chooseHistogram } from "./histogram.js";
import { mapOf } from "./map.js";
import { start } from "./start.js";

start(async (data) => {
  const find = (name) => document.querySelector(name);
  if (data.counts && find(".bars")) whenWide(find(".bars"), () => drawBars(find(".bars"), data.counts));
  if (data.histograms && find(".histogram")) whenWide(find(".histogram"), chooseHistogram(find("#histogram-column"), find(".histogram"), data.histograms));
  if (data.bands) whenWide(find(".quantiles"), () => drawBands(find(".quantiles"), data.bands, data.times));
  if (data.series && data.bands) whenWide(find(".series-list"), () => drawSeries(find(".series-list"), data.series, data.bands, data.times));
  for (const link of document.querySelectorAll("nav a")) link.hidden = !find(link.getAttribute("href"));
  if (data.atlas) await mapped(find(".explorer"), data);
});

async function mapped(root, data) {
  const { board, show } = await mapOf(root, data.atlas), buttons = [...document.querySelectorAll("button.zone")];
  const tell = () => buttons.forEach((one) => one.setAttribute("aria-pressed", String(board.chosen.includes(Number(one.dataset.zone)))));
  board.on("chosen", tell);
  for (const one of buttons) one.addEventListener("click", () => {
    const zone = Number(one.dataset.zone);
    board.choose(zone);
    if (!board.chosen.includes(zone)) return;
    show(zone);
    root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  if (data.first.length) board.chooseAll(data.first);
  tell();
}

// Draw now, and again when there is more or less room.
function whenWide(figure, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (figure.clientWidth === width) return;
    width = figure.clientWidth;
    draw();
  }).observe(figure);
}
