// Search: a zone by its id.

import { element } from "./marks.js";

const MOST = 8;

export class Search {
  constructor(board, root, show) {
    Object.assign(this, { board, show, input: root.querySelector("input"), list: root.querySelector("ul"), found: [], at: -1 });
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("focus", () => this.look());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  // Zones whose id is what was typed, begins with it, or holds it; in this order.
  look() {
    const asked = this.input.value.trim().toLowerCase(), { ids } = this.board.atlas, ranks = [[], [], []];
    if (!asked) return this.close();
    for (let zone = 0; zone < ids.length && ranks[1].length < MOST; zone++) {
      const id = ids[zone].toLowerCase(), place = id.indexOf(asked);
      if (place >= 0) ranks[id === asked ? 0 : place === 0 ? 1 : 2].push(zone);
    }
    this.found = ranks.flat().slice(0, MOST);
    this.at = this.found.length ? 0 : -1;
    this.draw();
  }

  draw() {
    const { list, input, found, at, board } = this;
    const options = found.map((zone, i) => {
      const one = element("li", { role: "option", id: `found-${i}`, "aria-selected": i === at }, board.atlas.ids[zone]);
      one.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.take(zone);
      });
      return one;
    });
    list.replaceChildren(...(options.length ? options : [element("li", { class: "nothing" }, "There is no such zone.")]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-activedescendant", at >= 0 ? `found-${at}` : "");
  }

  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return this.close();
    if (event.key === "Enter" && this.at >= 0 && !this.list.hidden) this.take(this.found[this.at]);
    else if (step && this.found.length) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.draw();
    } else return;
    event.preventDefault();
  }

  take(zone) {
    this.close();
    this.input.value = "";
    if (!this.board.chosen.includes(zone)) this.board.choose(zone);
    this.show(zone);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
