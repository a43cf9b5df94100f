// Atlas: a column over zones and dates, and why values are missing.

import { unpacked, unpackedText } from "./packed.js";
import { shapesOf } from "./shapes.js";

export async function atlasOf(given) {
  const [ids, carried, values, status, seen, shapes] = await Promise.all([
    unpackedText(given.ids), unpackedText(given.carried), unpacked(given.values), unpacked(given.status),
    unpacked(given.seen), shapesOf(given.outlines),
  ]);
  return new Atlas(given, { ids, carried, levels: values, codes: status, shares: seen, shapes });
}

export class Atlas {
  constructor({ column, times, levels, range, statuses, seen_steps: seenSteps, day }, parts) {
    Object.assign(this, { column, times, range, statuses, seenSteps, step: levels.step }, parts);
    this.fixed = day ?? null;
    this.zones = this.ids.length;
    this.dates = times.names.length;
    this.table = tableOf(levels);
    this.counts = this.valued();
  }

  // NaN where there is none.
  value(zone, date) {
    return this.table[this.levels[zone * this.dates + date]] ?? NaN;
  }

  // "" where there is no row.
  status(zone, date) {
    return this.statuses[this.codes[zone * this.dates + date]] ?? "";
  }

  // The share of the zone that has values; NaN where nothing tells.
  seen(zone, date) {
    const steps = this.shares[zone * this.dates + date];
    return steps > this.seenSteps ? NaN : steps / this.seenSteps;
  }

  // How many zones have a value, of each date.
  valued() {
    const counts = new Uint32Array(this.dates);
    for (let zone = 0, i = 0; zone < this.zones; zone++) for (let date = 0; date < this.dates; date++, i++) if (this.levels[i]) counts[date]++;
    return counts;
  }

  get empty() {
    return !this.range.length;
  }

  // The date on which most zones have a value; of several the last.
  get fullest() {
    return this.counts.reduce((best, count, date) => (count >= this.counts[best] ? date : best), 0);
  }
}

// The value of each level; that of 0 is none.
function tableOf({ knots, places }) {
  const table = new Float64Array((places.at(-1) ?? 0) + 1).fill(NaN);
  for (let i = 0; i < places.length; i++) {
    table[places[i]] = knots[i];
    for (let at = places[i - 1] + 1; at < places[i]; at++) {
      table[at] = knots[i - 1] + (knots[i] - knots[i - 1]) * (at - places[i - 1]) / (places[i] - places[i - 1]);
    }
  }
  return table;
}
