// Board: what is on the stage: a view, pictures, an area, and the polygon that is being drawn.

import { pointOf, polygonOf } from "./area.js";
import { View } from "./view.js";

export class Board extends EventTarget {
  view = new View();
  pictures = [];
  area = null;
  tool = "move";
  sketch = [];
  // Where the pointer is while a polygon is drawn, and the cross of the keyboard: places or null.
  pointer = null;
  cross = null;

  // Events: "change" of anything that is seen, "area" when the user made another, "tool", "hint".
  changed() {
    this.dispatchEvent(new Event("change"));
  }

  tell(hint) {
    this.dispatchEvent(new CustomEvent("hint", { detail: hint }));
  }

  choose(tool) {
    this.tool = tool;
    this.sketch = [];
    this.pointer = this.cross = null;
    this.dispatchEvent(new Event("tool"));
    this.changed();
  }

  put(area) {
    this.area = area;
    this.changed();
  }

  made(area) {
    this.put(area);
    this.dispatchEvent(new Event("area"));
  }

  // Set a corner of the polygon, or the point.
  set(at, radius) {
    if (this.tool === "point") {
      this.made(pointOf(at, radius));
      return this.choose("move");
    }
    this.sketch = [...this.sketch, at];
    const count = this.sketch.length;
    this.tell(count < 3 ? `${count} of at least 3 corners.` : `${count} corners. Double-click, Enter or the first corner closes it.`);
    this.changed();
  }

  close() {
    if (this.sketch.length < 3) return this.tell("A polygon has three corners at least.");
    const ring = this.sketch;
    this.choose("move");
    this.made(polygonOf(ring));
    this.tell(`A polygon of ${ring.length} corners. Drag a corner to change it.`);
  }

  remove() {
    const drawn = this.sketch.length > 0 || this.tool !== "move";
    this.choose("move");
    if (!drawn) this.made(null);
    this.tell(drawn ? "The drawing is removed." : "The area is removed.");
  }

  shift(ring, corner, at) {
    if (this.sketch.length) this.sketch[corner] = at;
    else this.area.rings[ring][corner] = at;
    this.changed();
  }

  drop(ring, corner) {
    const { area } = this;
    if (this.sketch.length || area.type === "Point") return this.remove();
    if (area.rings[ring].length <= 3) return this.tell("A ring has three corners at least.");
    area.rings[ring].splice(corner, 1);
    this.made(area);
  }
}
