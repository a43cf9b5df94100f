// Dates: the slider, how many zones have a value on each date, and playing them.

import { counted } from "./numbers.js";

const THUMB = 16;
const PACE = 450;

export class Dates {
  constructor(board, root) {
    const find = (name) => root.querySelector(name);
    Object.assign(this, { board, root, strip: find(".strip"), slider: find("input"), date: find(".date"), play: find(".play"), timer: 0 });
    const { atlas } = board;
    root.hidden = atlas.fixed !== null || atlas.dates < 2;
    this.slider.max = Math.max(0, atlas.dates - 1);
    this.slider.addEventListener("input", () => {
      this.stop();
      board.go(Number(this.slider.value));
    });
    find(".back").addEventListener("click", () => this.step(-1));
    find(".on").addEventListener("click", () => this.step(1));
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    board.on("date", () => this.tell());
    new ResizeObserver(() => this.draw()).observe(this.strip);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.tell();
  }

  step(by) {
    this.stop();
    this.board.go(this.board.date + by);
  }

  start() {
    const { atlas } = this.board, there = [...atlas.counts.keys()].filter((date) => atlas.counts[date] > 0);
    if (!there.length) return;
    const next = () => this.board.go(there.find((date) => date > this.board.date) ?? there[0]);
    this.timer = setInterval(next, PACE);
    next();
    this.label("Pause", "❚❚");
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.label("Play", "▶");
  }

  label(name, sign) {
    this.play.textContent = sign;
    this.play.title = name;
    this.play.setAttribute("aria-label", name);
  }

  tell() {
    const { atlas, date } = this.board;
    if (!atlas.dates) return;
    const name = atlas.times.names[date], count = atlas.counts[date];
    this.slider.value = date;
    this.date.textContent = name;
    const told = count ? `${counted(count, "zone")} with a value` : "no zone has a value";
    this.slider.setAttribute("aria-valuetext", `${name}, ${told}`);
    this.draw();
  }

  // A bar for each date as high as the share of zones with a value; a stripe where none has one.
  draw() {
    const { strip } = this, { atlas, date } = this.board, ratio = devicePixelRatio || 1;
    const width = strip.clientWidth, height = strip.clientHeight;
    if (!width) return;
    [strip.width, strip.height] = [width * ratio, height * ratio];
    const pen = strip.getContext("2d"), style = getComputedStyle(strip), colour = (name) => style.getPropertyValue(`--${name}`).trim();
    pen.scale(ratio, ratio);
    const gap = (width - THUMB) / Math.max(1, atlas.dates - 1), wide = Math.max(1, Math.min(14, gap * 0.72));
    atlas.counts.forEach((count, one) => {
      const x = THUMB / 2 + one * gap - wide / 2, high = count ? Math.max(2, count / atlas.zones * height) : 3;
      pen.fillStyle = one === date ? colour("accent") : count ? colour("bar") : colour("void");
      pen.fillRect(x, height - high, wide, high);
      if (!count) pen.fillRect(x, 0, wide, height - 5);
    });
  }
}
