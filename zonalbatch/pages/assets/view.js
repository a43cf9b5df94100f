// View: which part of the zones is seen, and where on the screen.

const CLOSEST = 40;

export class View {
  constructor(whole, narrowing) {
    Object.assign(this, { whole, narrowing, width: 1, height: 1, near: null });
    this.show(whole);
  }

  // Pixels of a step that show a box with a margin around it.
  fit({ left, bottom, right, top }, margin = 0.92) {
    const wide = Math.max(1e-9, (right - left) * this.narrowing), high = Math.max(1e-9, top - bottom);
    return margin * Math.min(this.width / wide, this.height / high);
  }

  get least() {
    return Math.min(CLOSEST, this.fit(this.whole));
  }

  show(box, margin) {
    this.x = (box.left + box.right) / 2;
    this.y = (box.bottom + box.top) / 2;
    this.scale = Math.min(CLOSEST, this.fit(box, margin));
  }

  resize(width, height) {
    const ratio = this.scale / this.least;
    [this.width, this.height] = [width, height];
    this.scale = this.least * ratio;
  }

  pixel(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale * this.narrowing, this.height / 2 - (y - this.y) * this.scale];
  }

  place(left, top) {
    return [this.x + (left - this.width / 2) / (this.scale * this.narrowing), this.y - (top - this.height / 2) / this.scale];
  }

  pan(left, top) {
    const [x, y] = this.place(this.width / 2 - left, this.height / 2 - top), { whole } = this;
    this.x = Math.min(whole.right, Math.max(whole.left, x));
    this.y = Math.min(whole.top, Math.max(whole.bottom, y));
  }

  // Come closer by a factor, such that what is at a pixel stays there.
  zoom(times, [left, top] = [this.width / 2, this.height / 2]) {
    const kept = this.place(left, top);
    this.scale = Math.min(CLOSEST, Math.max(this.least / 2, this.scale * times));
    const [nowLeft, nowTop] = this.pixel(...kept);
    this.pan(left - nowLeft, top - nowTop);
  }

  get box() {
    const [left, top] = this.place(0, 0), [right, bottom] = this.place(this.width, this.height);
    return { left, bottom, right, top };
  }
}
