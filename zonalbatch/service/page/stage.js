// Stage: the raster, the area and the tools' marks, drawn where the view has them.

import { degrees } from "./area.js";
import { mark } from "./marks.js";
import { length, place, round } from "./numbers.js";

const HANDLES = 300;
const EARTH_DEGREE = 111195;

export class Stage {
  constructor(board, frame) {
    this.board = board;
    this.svg = frame.querySelector("svg");
    this.bar = frame.querySelector("#scale");
    this.layers = ["rasters", "shapes", "corners", "signs"].map((name) => mark("g", { id: name }));
    this.svg.append(...this.layers);
    new ResizeObserver(([{ contentRect }]) => {
      board.view.resize(Math.max(1, contentRect.width), Math.max(1, contentRect.height));
      board.changed();
    }).observe(this.svg);
  }

  draw() {
    const { board, svg } = this, [rasters, shapes, corners, signs] = this.layers;
    svg.classList.toggle("drawing", board.tool !== "move");
    this.rasters(rasters);
    shapes.replaceChildren(...(board.sketch.length ? this.sketch() : this.area()));
    this.handles(corners);
    signs.replaceChildren(...(board.cross ? this.cross() : []));
    this.measureBar();
  }

  // Pictures keep their elements while they are the same, so that they do not flicker; above them
  // is a line where the raster ends, which is not seen where it has no data.
  rasters(layer) {
    const { pictures } = this.board, links = pictures.map((one) => one.link).join(" ");
    if (links !== this.links) {
      const images = pictures.map(({ link }) => mark("image", { href: link, preserveAspectRatio: "none" }));
      layer.replaceChildren(...images, ...(images.length ? [mark("rect", { class: "extent" })] : []));
      this.links = links;
    }
    const boxes = [...pictures, ...pictures.slice(0, 1)].map((one) => this.box(one.bounds));
    boxes.forEach((box, i) => Object.entries(box).forEach(([key, value]) => layer.children[i].setAttribute(key, value)));
  }

  box({ west, south, east, north }) {
    const [x, y] = this.board.view.pixel([west, north]), [right, bottom] = this.board.view.pixel([east, south]);
    return { x, y, width: right - x, height: bottom - y };
  }

  area() {
    const { area, view } = this.board;
    if (!area) return [];
    if (area.type !== "Point") return outlined("path", { d: area.rings.map((ring) => `${this.path(ring)}Z`).join("") });
    if (!area.radius) return [];
    const [lon, lat] = area.rings[0][0], [wide, high] = degrees(area.radius, lat);
    const [cx, cy] = view.pixel([lon, lat]), [right, top] = view.pixel([lon + wide, lat + high]);
    return outlined("ellipse", { cx, cy, rx: right - cx, ry: cy - top });
  }

  sketch() {
    const { sketch, pointer } = this.board;
    const places = pointer ? [...sketch, pointer] : sketch;
    return outlined("path", { d: `${this.path(places)}${places.length > 2 ? "Z" : ""}` }, "outline sketch");
  }

  path(places) {
    return places.map((one, i) => `${i ? "L" : "M"}${this.board.view.pixel(one).map((at) => at.toFixed(1)).join(" ")}`).join("");
  }

  // Corners keep their elements while their number is the same, so that they keep the focus.
  handles(layer) {
    const { area, sketch } = this.board;
    const rings = sketch.length ? [sketch] : area?.rings ?? [];
    const corners = rings.flatMap((ring, i) => ring.map((at, k) => ({ at, ring: i, corner: k, of: ring.length })));
    const shown = corners.length > HANDLES ? [] : corners;
    while (layer.childElementCount > shown.length) layer.lastChild.remove();
    while (layer.childElementCount < shown.length) layer.append(mark("circle", { r: 5.5, tabindex: 0, role: "button" }));
    shown.forEach((one, i) => this.handle(layer.children[i], one));
  }

  handle(circle, { at, ring, corner, of }) {
    const [cx, cy] = this.board.view.pixel(at), closes = this.board.sketch.length > 2 && corner === 0;
    const told = `${of > 1 ? `Corner ${corner + 1} of ${of}` : "Point"}, ${place(at)}${closes ? "; closes the polygon" : ""}`;
    const attributes = { cx, cy, "data-ring": ring, "data-corner": corner, "aria-label": told, class: closes ? "corner first" : "corner" };
    for (const [key, value] of Object.entries(attributes)) circle.setAttribute(key, value);
  }

  cross() {
    const [x, y] = this.board.view.pixel(this.board.cross);
    const d = `M${x - 12} ${y}H${x + 12}M${x} ${y - 12}V${y + 12}`;
    return [mark("path", { class: "cross-casing", d }), mark("path", { class: "cross", d })];
  }

  measureBar() {
    const { view, pictures } = this.board;
    this.bar.hidden = !pictures.length;
    const metres = round(110 / view.scale * EARTH_DEGREE);
    this.bar.querySelector("i").style.width = `${metres / EARTH_DEGREE * view.scale}px`;
    this.bar.querySelector("span").textContent = length(metres);
  }
}

// A shape in two lines, dark around white, which is seen on any colour.
function outlined(name, attributes, look = "outline") {
  return [mark(name, { ...attributes, class: "casing" }), mark(name, { ...attributes, class: look })];
}
