// Words: what is said of a zone on a date.

import { share } from "./numbers.js";

const REASONS = {
  ok: "no value", partial: "partly unreadable", filtered: "too little is clear", empty: "no valid cell (cloudy, masked)",
  failed: "could not be read", "": "not covered by this date",
};

// Why there is no value.
export function reason(status) {
  return REASONS[status] ?? status;
}

// What is said beside a value.
export function beside(atlas, zone, date) {
  const seen = atlas.seen(zone, date), status = atlas.status(zone, date);
  const parts = [];
  if (!Number.isNaN(seen) && seen < 1) parts.push(`${share(seen)} of the zone seen`);
  if (status === "partial") parts.push(REASONS.partial);
  return parts.join(", ");
}
