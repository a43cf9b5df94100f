// Sight: pictures of a raster: of all of it, and sharper ones of what is looked at.

import { picture } from "./service.js";

const PATIENCE = 250;
const MOST = 1024;

export class Sight {
  constructor(board) {
    Object.assign(this, { board, raster: null, whole: null, part: null, wanted: "" });
  }

  // Show a raster {url, band, key}; throws where there is no picture.
  async open(raster) {
    const { key, ...asked } = raster;
    const whole = await picture({ ...asked, size: MOST }, key);
    this.close();
    [this.raster, this.whole] = [raster, whole];
    this.board.view.look(whole.bounds);
    this.shown();
    return whole;
  }

  close() {
    for (const one of [this.whole, this.part]) if (one) URL.revokeObjectURL(one.link);
    this.abort?.abort();
    this.whole = this.part = null;
  }

  // Look closer, once the view has come to rest.
  follow() {
    clearTimeout(this.timer);
    if (this.whole) this.timer = setTimeout(() => this.sharpen(), PATIENCE);
  }

  async sharpen() {
    const { view } = this.board, seen = view.seen, bounds = seen && Object.values(seen);
    const wanted = JSON.stringify([bounds, view.scale]);
    if (!seen || view.scale < view.least * 1.1 || wanted === this.wanted) return;
    this.wanted = wanted;
    this.abort?.abort();
    this.abort = new AbortController();
    const { key, ...asked } = this.raster, { values } = this.whole;
    const size = Math.min(MOST, Math.ceil(Math.max(view.width, view.height) * devicePixelRatio));
    try {
      this.replace(await picture({ ...asked, bounds, size, ...(values.length && { values }) }, key, this.abort.signal));
    } catch {
      // The picture of the whole stays: a sharper one is nice to have.
    }
  }

  replace(part) {
    if (this.part) URL.revokeObjectURL(this.part.link);
    this.part = part;
    this.shown();
  }

  shown() {
    this.board.pictures = [this.whole, this.part].filter(Boolean);
    this.board.changed();
  }
}
