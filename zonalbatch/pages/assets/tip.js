// Tip: what is known of the zone under the pointer.

import { element } from "./marks.js";
import { beside, reason } from "./words.js";

export class Tip {
  constructor(board, box, hand, told) {
    Object.assign(this, { board, box, hand, told });
    board.on(["hovered", "date"], () => this.draw());
    hand.canvas.addEventListener("pointermove", () => this.place());
  }

  draw() {
    const { board, box } = this, { atlas, hovered, date } = board;
    box.hidden = hovered < 0;
    if (hovered < 0) return;
    const value = atlas.value(hovered, date), missing = Number.isNaN(value);
    const lines = [element("strong", {}, atlas.ids[hovered])];
    const number = missing ? reason(atlas.status(hovered, date)) : `${atlas.column} ${this.told(value)}`;
    lines.push(element("span", { class: missing ? "missing" : "number" }, number));
    const more = missing ? "" : beside(atlas, hovered, date);
    if (more) lines.push(element("span", {}, more));
    for (const [name, values] of Object.entries(atlas.carried).slice(0, 8)) {
      if (values[hovered] !== null) lines.push(element("span", { class: "carried" }, `${name}: ${values[hovered]}`));
    }
    box.replaceChildren(...lines);
    this.place();
  }

  place() {
    const { box, hand } = this;
    if (box.hidden || !hand.pointer) return;
    const [left, top] = hand.pointer, { width, height } = hand.view;
    const x = left + 16 + box.offsetWidth > width ? left - 14 - box.offsetWidth : left + 16;
    const y = top + 14 + box.offsetHeight > height ? top - 12 - box.offsetHeight : top + 14;
    box.style.transform = `translate(${Math.max(2, x)}px, ${Math.max(2, y)}px)`;
  }
}
