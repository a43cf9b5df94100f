// Chart: the series of the chosen zones: values, dates without one, the date that is looked at.

import { timeTicks, valueTicks, widened } from "./axes.js";
import { mark } from "./marks.js";
import { counted } from "./numbers.js";
import { beside, reason } from "./words.js";

const [LEFT, RIGHT, TOP, AXIS, LANE] = [46, 14, 26, 40, 9];
// As of pictures: a value of less of a zone than this is hollow.
const MOST = 0.8;
const SHAPES = [
  (r) => `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`, (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`, (r) => `M0 ${-1.3 * r}L${1.2 * r} ${r}H${-1.2 * r}Z`,
  (r) => `M0 ${-1.4 * r}L${1.4 * r} 0L0 ${1.4 * r}L${-1.4 * r} 0Z`, (r) => `M0 ${1.3 * r}L${1.2 * r} ${-r}H${-1.2 * r}Z`, (r) => `M${-1.4 * r} ${-0.6 * r}H${1.4 * r}V${0.6 * r}H${-1.4 * r}Z`,
];

// Draw zones {zone, slot} of an atlas into a figure; a click on it goes to a date.
export function drawChart(figure, board, written) {
  const { atlas } = board, svg = figure.querySelector("svg");
  const zones = board.slots.map((zone, slot) => ({ zone, slot })).filter((one) => one.zone >= 0);
  const frame = framed(figure, atlas, zones);
  svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  svg.setAttribute("height", frame.height);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", summary(atlas, zones));
  svg.replaceChildren(
    mark("text", { class: "name", x: 4, y: 13 }, cut(atlas.column)),
    ...rules(frame), ...months(frame), chosenDate(frame, board.date, atlas.column),
    ...zones.map((one, lane) => series(frame, atlas, one, zones.length - 1 - lane, written)), ...readers(frame, board),
  );
  figure.querySelector("figcaption").textContent = caption(atlas, zones);
}

function framed(figure, atlas, zones) {
  const width = Math.max(280, figure.clientWidth || 420), lanes = zones.length * LANE;
  const height = Math.round(Math.min(330, Math.max(230, width * 0.62))) + lanes;
  const values = zones.flatMap(({ zone }) => dates(atlas).map((date) => atlas.value(zone, date))).filter((one) => !Number.isNaN(one));
  const [low, high] = values.length ? widened(Math.min(...values), Math.max(...values)) : [0, 1];
  const floor = height - AXIS - lanes, { at, dated } = atlas.times;
  const places = dated ? at : dates(atlas), first = places[0], last = places.at(-1);
  const span = last - first || 1, inset = last === first ? (width - LEFT - RIGHT) / 2 : 6;
  const x = (place) => LEFT + inset + (place - first) / span * (width - LEFT - RIGHT - 2 * inset);
  const y = (value) => floor - 4 - (value - low) / (high - low) * (floor - 4 - TOP);
  return { width, height, floor, x, y, low, high, places, dated, names: atlas.times.names, empty: !values.length };
}

function dates(atlas) {
  return [...Array(atlas.dates).keys()];
}

function rules({ width, y, low, high, empty }) {
  if (empty) return [];
  return valueTicks(low, high).flatMap(({ at, name }) => [
    mark("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(at), y2: y(at) }),
    mark("text", { x: LEFT - 7, y: y(at) + 4, "text-anchor": "end" }, name),
  ]);
}

function months({ width, height, floor, x, places, dated, names }) {
  const room = Math.floor((width - LEFT - RIGHT) / 54), bottom = height - AXIS;
  if (!dated) {
    const every = Math.ceil(places.length / Math.max(1, Math.floor((width - LEFT) / 110)));
    return places.filter((at) => at % every === 0).map((at) => mark("text", { x: x(at), y: bottom + 16, "text-anchor": "middle" }, shortened(names[at])));
  }
  return timeTicks(places[0], places.at(-1), room).flatMap(({ at, name, year }) => [
    mark("line", { class: "rule", x1: x(at), x2: x(at), y1: TOP, y2: bottom + 4 }),
    mark("text", { x: x(at), y: bottom + 17, "text-anchor": "middle" }, name),
    ...(year ? [mark("text", { class: "year", x: x(at), y: bottom + 32, "text-anchor": "middle" }, year)] : []),
  ]);
}

function shortened(name) {
  return name.length > 15 ? `${name.slice(0, 14)}…` : name;
}

// The date stands beside its line, and never on the name of the column.
function chosenDate({ height, x, places, names, width }, date, column) {
  const at = x(places[date]), end = at > width - 90, name = shortened(names[date]);
  const left = Math.max(at + 4, 12 + 7.2 * cut(column).length);
  return mark("g", { class: "chosen-date" },
    mark("line", { x1: at, x2: at, y1: 17, y2: height - AXIS }),
    mark("text", { x: end ? at - 4 : left, y: 13, "text-anchor": end ? "end" : "start" }, name));
}

function cut(name) {
  return name.length > 24 ? `${name.slice(0, 23)}…` : name;
}

// The line of a zone, its points (hollow where less than 80 % of it was seen), and a lane of the dates without a value.
function series(frame, atlas, { zone, slot }, lane, written) {
  const { x, y, places, height, names } = frame, all = dates(atlas);
  const there = all.filter((date) => !Number.isNaN(atlas.value(zone, date)));
  const group = mark("g", { class: `series mark-${slot}`, "data-zone": atlas.ids[zone] });
  const usual = gapOf(there.map((date) => places[date]));
  let [solid, dashed] = ["", ""];
  there.slice(1).forEach((date, i) => {
    const before = there[i], piece = `M${point(before)}L${point(date)}`;
    if (frame.dated && places[date] - places[before] > usual) dashed += piece;
    else solid += piece;
  });
  function point(date) {
    return `${x(places[date]).toFixed(1)} ${y(atlas.value(zone, date)).toFixed(1)}`;
  }
  if (frame.dated) group.append(mark("path", { class: "line", d: solid || "M0 0" }), mark("path", { class: "line gap", d: dashed || "M0 0" }));
  const radius = there.length > 150 ? 2 : 3;
  for (const date of there) {
    const seen = atlas.seen(zone, date), value = atlas.value(zone, date);
    const dot = mark("path", {
      class: seen < MOST ? "dot hollow" : "dot", d: SHAPES[slot](radius), transform: `translate(${point(date)})`,
      "data-date": names[date], "data-value": value,
    });
    dot.append(mark("title", {}, `${atlas.ids[zone]}, ${names[date]}: ${[written(value), beside(atlas, zone, date)].filter(Boolean).join(", ")}`));
    group.append(dot);
  }
  const level = height - AXIS - (lane + 0.5) * LANE;
  for (const date of all) {
    if (!Number.isNaN(atlas.value(zone, date))) continue;
    const status = atlas.status(zone, date), at = x(places[date]);
    const sign = status === "failed" ? `M${at - 2.5} ${level - 2.5}l5 5m0 -5l-5 5` : `M${at} ${level - 3}v6`;
    group.append(mark("path", { class: `missing ${status}`, d: sign, "data-date": names[date] }, mark("title", {}, `${atlas.ids[zone]}, ${names[date]}: ${reason(status)}`)));
  }
  return group;
}

// A gap is what is longer than four times the usual distance from value to value, and than 20 days.
function gapOf(places) {
  const gaps = places.slice(1).map((at, i) => at - places[i]).sort((a, b) => a - b);
  return Math.max(20 * 86400, 4 * (gaps[Math.floor(gaps.length / 2)] ?? 0));
}

// What hears clicks: the date that is nearest.
function readers({ width, height, x, places }, board) {
  const area = mark("rect", { class: "reader", x: LEFT, y: TOP, width: width - LEFT - RIGHT, height: height - TOP - AXIS });
  if (board.atlas.fixed !== null) return [];
  area.addEventListener("click", (event) => {
    const box = area.ownerSVGElement.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * width;
    board.go(places.reduce((best, place, date) => (Math.abs(x(place) - at) < Math.abs(x(places[best]) - at) ? date : best), 0));
  });
  return [area];
}

function caption(atlas, zones) {
  const any = (holds) => zones.some(({ zone }) => dates(atlas).some((date) => holds(zone, date, Number.isNaN(atlas.value(zone, date)))));
  const parts = [];
  if (any((zone, date, missing) => !missing && atlas.seen(zone, date) < MOST)) parts.push("Hollow: less than 80 % of the zone was seen.");
  if (any((zone, date, missing) => missing && atlas.status(zone, date) !== "failed")) parts.push("Ticks below: dates without a value, cloudy or masked.");
  if (any((zone, date, missing) => missing && atlas.status(zone, date) === "failed")) parts.push("Crosses below: dates that could not be read.");
  return parts.join(" ");
}

function summary(atlas, zones) {
  return `${atlas.column} over ${counted(atlas.dates, "date")} of ${zones.map(({ zone }) => atlas.ids[zone]).join(", ")}`;
}
