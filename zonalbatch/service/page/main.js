// The page: a raster, an area, and what is asked of the service about them.

import { NAMES, show } from "./answer.js";
import { areaOf, boundsOf, geojson } from "./area.js";
import { Board } from "./board.js";
import { Hand } from "./hand.js";
import { Keys } from "./keys.js";
import { element, mark } from "./marks.js";
import { place, short } from "./numbers.js";
import { Ramp } from "./ramp.js";
import { figures } from "./service.js";
import { Sight } from "./sight.js";
import { Stage } from "./stage.js";

const CHOSEN = ["count", "mean", "min", "max", "std", "median"];
const CLASSES = 24;
const HINTS = {
  move: "Drag to move, scroll to zoom.",
  polygon: "Click to set corners; double-click, or the first corner, closes. Escape removes.",
  point: "Click to set the point; give a radius for a circle around it.",
};

const by = (id) => document.getElementById(id);
const board = new Board(), sight = new Sight(board), stage = new Stage(board, by("frame"));
const radius = () => Math.max(0, Number(by("radius").value) || 0);
new Hand(board, stage.svg, radius);
new Keys(board, stage.svg, radius);
let ramp = new Ramp(["#21918c", "#21918c"], [0, 1]);

// The stage follows the board, one drawing a frame.
let due = false;
board.addEventListener("change", () => {
  if (!due) requestAnimationFrame(() => ((due = false), stage.draw(), sight.follow()));
  due = true;
  by("remove").disabled = !board.area && board.tool === "move";
});
board.addEventListener("hint", ({ detail }) => (by("hint").textContent = detail));
board.addEventListener("hover", ({ detail }) => (by("where").textContent = detail && board.pictures.length ? place(detail) : ""));
board.addEventListener("tool", () => {
  for (const button of document.querySelectorAll("[role=radio]")) {
    button.setAttribute("aria-checked", button.id === board.tool);
    button.tabIndex = button.id === board.tool ? 0 : -1;
  }
  by("around").hidden = board.tool !== "point" && board.area?.type !== "Point";
  board.tell(HINTS[board.tool]);
});
board.addEventListener("area", () => {
  by("geojson").value = board.area ? JSON.stringify(geojson(board.area)) : "";
  known();
});

// What the text says of the area, if it can be read.
by("geojson").addEventListener("input", () => {
  try {
    const area = areaOf(by("geojson").value);
    if (area.type === "Point") by("radius").value = area.radius;
    board.put(area);
    reveal(area);
  } catch {
    board.put(null);
  }
  known();
});
by("radius").addEventListener("input", () => {
  if (board.area?.type === "Point") board.made({ ...board.area, radius: radius() });
});

function known() {
  by("problem").hidden = true;
  by("around").hidden = board.tool !== "point" && board.area?.type !== "Point";
}

// Show all, where an area is out of sight, or the raster is seen from far away.
function reveal(area) {
  const a = boundsOf(area), b = board.view.bounds, { whole } = board.view;
  const inside = a.west >= b.west && a.east <= b.east && a.south >= b.south && a.north <= b.north;
  if (inside && board.view.scale >= 0.99 * board.view.least) return;
  const both = { west: Math.min(a.west, whole.west), south: Math.min(a.south, whole.south), east: Math.max(a.east, whole.east), north: Math.max(a.north, whole.north) };
  board.view.show(sight.whole ? both : a);
  board.changed();
}

// Tools.
const tools = ["move", "polygon", "point"];
for (const tool of tools) by(tool).addEventListener("click", () => (board.choose(tool), tool !== "move" && stage.svg.focus({ preventScroll: true })));
by("tools").addEventListener("keydown", ({ key, target }) => {
  const turn = { ArrowRight: 1, ArrowLeft: -1 }[key], at = tools.indexOf(target.id);
  if (!turn || at < 0) return;
  board.choose(tools[(at + turn + tools.length) % tools.length]);
  by(board.tool).focus();
});
by("remove").addEventListener("click", () => board.remove());
const zoom = (times) => (board.view.zoom(times), board.changed());
by("closer").addEventListener("click", () => zoom(1.5));
by("farther").addEventListener("click", () => zoom(1 / 1.5));
by("whole").addEventListener("click", () => (board.view.show(board.view.whole), board.changed()));

// Statistics.
for (const [name, title] of Object.entries(NAMES)) {
  const box = element("input", { type: "checkbox", name: "stats", value: name, ...(CHOSEN.includes(name) && { checked: "" }) });
  by("stats").append(element("label", { class: "chip" }, box, element("span", {}, title)));
}

// Questions.
const raster = () => ({ url: by("url").value.trim(), band: Number(by("band").value) });
by("raster").addEventListener("submit", (event) => (event.preventDefault(), asking(by("show"), open)));
by("area").addEventListener("submit", (event) => (event.preventDefault(), asking(by("measure"), measure)));

async function open() {
  const whole = await sight.open({ ...raster(), key: by("key").value });
  ramp = new Ramp(whole.ramp, whole.values.length ? whole.values : [0, 1]);
  by("empty").hidden = true;
  legend(whole);
  board.tell(whole.values.length ? HINTS[board.tool] : "The raster has no data.");
  history.replaceState(null, "", `#${new URLSearchParams(raster())}`);
}

function legend({ values, ramp: colours }) {
  by("legend").hidden = !values.length;
  [by("low").textContent, by("high").textContent] = values.map(short);
  const stops = colours.map((colour, i) => mark("stop", { offset: i / (colours.length - 1), "stop-color": colour }));
  by("gradient").replaceChildren(...stops);
}

async function measure() {
  if (!by("raster").reportValidity()) return;
  const stats = [...document.querySelectorAll("[name=stats]:checked")].map((one) => one.value);
  const { url, band } = raster(), area = areaOf(by("geojson").value), key = by("key").value;
  const question = {
    aoi: geojson(area), url, bands: [band], coverage: by("coverage").value,
    approx_stats: by("approx").checked, stats: [...stats, "histogram"],
  };
  if (!sight.raster || sight.raster.url !== url || sight.raster.band !== band) await open();
  const { unique, ...numbers } = await figures({ ...question, stats: [...question.stats, "unique"] }, key);
  if (unique > 1 && unique <= CLASSES) {
    numbers.freq_hist = (await figures({ ...question, stats: ["freq_hist"] }, key)).freq_hist;
  }
  if (unique === 1) delete numbers.histogram;
  if (stats.includes("unique")) numbers.unique = unique;
  show(by("answer"), question, numbers, ramp, question.coverage === "fraction" ? "pixels, by share" : "pixels");
}

// Do what a button asks for, and say why it cannot be done.
async function asking(button, work) {
  by("results").setAttribute("aria-busy", "true");
  button.disabled = true;
  by("problem").hidden = true;
  try {
    await work();
  } catch (error) {
    by("answer").hidden = work === measure;
    by("problem").textContent = error.message;
    by("problem").hidden = false;
    if (error.status === 401) [by("access").open] = [true, by("key").focus()];
  } finally {
    by("results").setAttribute("aria-busy", "false");
    button.disabled = false;
  }
}

board.choose("move");
board.tell("");
const given = new URLSearchParams(location.hash.slice(1));
if (given.get("url")) {
  by("url").value = given.get("url");
  by("band").value = given.get("band") || 1;
  asking(by("show"), open);
}
