// Chosen: the zones that were chosen, as a chart and as a table.

import { drawChart } from "./chart.js";
import { element } from "./marks.js";
import { reason } from "./words.js";

export class Chosen {
  constructor(board, root, written) {
    Object.assign(this, { board, root, written, figure: root.querySelector(".chart"), table: root.querySelector(".table"), hint: root.querySelector(".hint") });
    board.on(["chosen", "date"], () => this.draw());
    new ResizeObserver(() => this.draw()).observe(root);
  }

  draw() {
    const { board, figure } = this, { atlas } = board;
    const some = board.chosen.length > 0;
    this.hint.hidden = some;
    figure.hidden = !some || atlas.dates < 2;
    if (figure.hidden) figure.querySelector("svg").replaceChildren();
    else drawChart(figure, board, this.written);
    this.table.replaceChildren(...(some ? [this.rows()] : []));
  }

  rows() {
    const { board } = this, { atlas, date } = board;
    const head = element("tr", {}, ...["Zone", atlas.times.names[date] ?? "", "Dates with a value", ""].map((name) => element("th", { scope: "col" }, name)));
    const rows = board.slots.map((zone, slot) => (zone < 0 ? null : this.row(zone, slot))).filter(Boolean);
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  }

  row(zone, slot) {
    const { board, written } = this, { atlas, date } = board, value = atlas.value(zone, date);
    let count = 0;
    for (let one = 0; one < atlas.dates; one++) if (!Number.isNaN(atlas.value(zone, one))) count++;
    const carried = Object.entries(atlas.carried).filter(([, values]) => values[zone] !== null).slice(0, 4).map(([name, values]) => `${name} ${values[zone]}`).join(" · ");
    const remove = element("button", { type: "button", class: "remove", "aria-label": `Let ${atlas.ids[zone]} go`, title: "Let it go" }, "×");
    remove.addEventListener("click", () => board.choose(zone));
    return element("tr", { class: `mark-${slot}` },
      element("td", {}, element("i", { class: "badge" }, String(slot + 1)), element("b", {}, atlas.ids[zone]), element("small", {}, carried)),
      element("td", { class: "number" }, Number.isNaN(value) ? element("small", {}, reason(atlas.status(zone, date))) : written(value)),
      element("td", { class: "number" }, `${count} of ${atlas.dates}`), element("td", {}, remove));
  }
}
