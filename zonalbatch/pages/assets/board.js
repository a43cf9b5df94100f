// Board: what is looked at: a date, the zones that were chosen, the one under the pointer.

export const MOST = 6;

export class Board extends EventTarget {
  constructor(atlas) {
    super();
    Object.assign(this, { atlas, date: atlas.fixed ?? atlas.fullest, chosen: [], hovered: -1, cross: false });
    this.slots = Array(MOST).fill(-1);
  }

  // Events: "date", "chosen", "hovered"; "change" after each of them, and when the view moved.
  tell(name) {
    this.dispatchEvent(new Event(name));
    this.dispatchEvent(new Event("change"));
  }

  on(names, call) {
    for (const name of [names].flat()) this.addEventListener(name, call);
  }

  moved() {
    this.dispatchEvent(new Event("change"));
  }

  go(date) {
    const inside = Math.min(this.atlas.dates - 1, Math.max(0, date));
    if (inside === this.date) return;
    this.date = inside;
    this.tell("date");
  }

  hover(zone) {
    if (zone === this.hovered) return;
    this.hovered = zone;
    this.tell("hovered");
  }

  // Choose a zone, or let it go; beyond the most, the first that was chosen goes.
  choose(zone) {
    if (this.chosen.includes(zone)) this.chosen = this.chosen.filter((one) => one !== zone);
    else this.chosen = [...this.chosen, zone].slice(-MOST);
    this.settle();
  }

  chooseAll(zones) {
    this.chosen = zones.slice(-MOST);
    this.settle();
  }

  // Each keeps its colour as long as it is chosen.
  settle() {
    this.slots = this.slots.map((zone) => (this.chosen.includes(zone) ? zone : -1));
    for (const zone of this.chosen) if (!this.slots.includes(zone)) this.slots[this.slots.indexOf(-1)] = zone;
    this.tell("chosen");
  }

  slot(zone) {
    return this.slots.indexOf(zone);
  }
}
