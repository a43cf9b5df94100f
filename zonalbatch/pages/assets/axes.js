// Axes: where lines of a chart stand, and what is written on them.

import { told } from "./numbers.js";

const DAY = 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// Round numbers between two values, and how they are written.
export function valueTicks(low, high, most = 5) {
  const step = nice((high - low || Math.abs(high) || 1) / most), digits = digitsOf(step);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  const write = (at) => (Math.abs(at) >= 1e5 || digits > 6 ? told(at, 3) : at.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−"));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({ at: (first + i) * step, name: write((first + i) * step) }));
}

// Values out to the next round numbers.
export function widened(low, high, most = 5) {
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.05, high + (Math.abs(high) || 1) * 0.05];
  const step = nice((high - low) / most);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

// Days, months or years between two times, seconds since 1970; the year stands where it is new.
export function timeTicks(first, last, most) {
  const days = (last - first) / DAY;
  const stride = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600].find((months) => days / (months * 30.4) <= most);
  if (days < 45) return dayTicks(first, last, Math.max(1, Math.ceil(days / most)));
  return monthTicks(first, last, stride ?? 1200);
}

function dayTicks(first, last, stride) {
  const ticks = [];
  for (let at = Math.ceil(first / DAY); at * DAY <= last; at += stride) ticks.push(new Date(at * DAY * 1000));
  if (!ticks.length) ticks.push(new Date(first * 1000));
  return ticks.map((date, i) => ({
    at: date / 1000, name: `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`,
    year: i === 0 || (date.getUTCMonth() === 0 && date.getUTCDate() <= stride) ? String(date.getUTCFullYear()) : "",
  }));
}

function monthTicks(first, last, stride) {
  const start = new Date(first * 1000), from = start.getUTCFullYear() * 12 + start.getUTCMonth(), ticks = [];
  for (let month = Math.ceil(from / stride) * stride; ; month += stride) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1) / 1000;
    if (at > last) break;
    if (at < first) continue;
    const year = String(Math.floor(month / 12));
    const fresh = !ticks.length || month % 12 < stride;
    ticks.push(stride >= 12 ? { at, name: year, year: "" } : { at, name: MONTHS[month % 12], year: fresh ? year : "" });
  }
  return ticks;
}

// The least of 1, 2, 2.5 and 5 × 10ⁿ that is not less.
function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step) + 1e-9);
  return [1, 2, 2.5, 5, 10].find((one) => one * power >= step * 0.999) * power;
}

// Digits after the point that a step needs.
function digitsOf(step) {
  let digits = 0;
  while (digits < 12 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 * step * 10 ** digits) digits++;
  return digits;
}
