// Hand: what a mouse, a finger, a pen or the keyboard does on the sheet.

const STILL = 4;
const REACH = 7;
const PAN = 60;
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Hand {
  constructor(board, canvas, view) {
    Object.assign(this, { board, canvas, view, pointers: new Map(), grip: null });
    const hear = (name, call, options) => canvas.addEventListener(name, call, options);
    hear("pointerdown", (event) => this.down(event));
    hear("pointermove", (event) => this.moved(event));
    hear("pointerup", (event) => this.up(event));
    hear("pointercancel", (event) => this.forget(event));
    hear("pointerleave", () => board.hover(-1));
    hear("wheel", (event) => this.wheel(event), { passive: false });
    hear("keydown", (event) => this.pressed(event));
    hear("blur", () => this.cross(false));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  zone([left, top]) {
    return this.board.atlas.shapes.at(...this.view.place(left, top), REACH / this.view.scale);
  }

  down(event) {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, this.at(event));
    this.canvas.setPointerCapture(event.pointerId);
    this.grip = { from: this.at(event), moved: false };
    this.cross(false);
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId), now = this.at(event);
    this.pointer = now;
    if (!before) return this.board.hover(this.zone(now));
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else this.drag(before, now);
    this.pointers.set(event.pointerId, now);
  }

  drag(before, now) {
    const { grip } = this;
    const start = grip.moved ? before : grip.from;
    grip.moved ||= distance(grip.from, now) > STILL;
    if (!grip.moved) return;
    this.canvas.classList.add("dragging");
    this.view.pan(now[0] - start[0], now[1] - start[1]);
    this.board.moved();
  }

  pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([one]) => one !== id).map(([, at]) => at);
    this.grip.moved = true;
    this.view.zoom(distance(now, other) / Math.max(1, distance(before, other)), other);
    this.board.moved();
  }

  up(event) {
    const { grip } = this, now = this.at(event);
    this.forget(event);
    if (!grip || grip.moved) return;
    const zone = this.zone(now);
    if (zone >= 0) this.board.choose(zone);
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
    if (!this.pointers.size) this.grip = null;
  }

  // A page that is longer than the window scrolls on until Ctrl is held, or the sheet has the focus.
  wheel(event) {
    const own = event.ctrlKey || document.activeElement === this.canvas || document.documentElement.scrollHeight <= innerHeight;
    if (!own) return;
    event.preventDefault();
    this.view.zoom(2 ** (-event.deltaY / (event.ctrlKey ? 80 : 320)), this.at(event));
    this.board.moved();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.meant(event.key)) return;
    event.preventDefault();
  }

  // Do what a key means; true if it means something.
  meant(key) {
    const { board, view } = this;
    if (key in ARROWS) view.pan(ARROWS[key][0] * PAN, ARROWS[key][1] * PAN);
    else if (key === "+" || key === "=") view.zoom(1.5);
    else if (key === "-" || key === "_") view.zoom(1 / 1.5);
    else if (key === "0") view.show(view.whole);
    else if (key === "Escape" && board.chosen.length) board.chooseAll([]);
    else if (key === "Enter" || key === " ") this.take();
    else return false;
    this.cross(key !== "Escape");
    board.moved();
    return true;
  }

  // The zone in the middle.
  take() {
    const zone = this.zone([this.view.width / 2, this.view.height / 2]);
    if (zone >= 0) this.board.choose(zone);
  }

  cross(shown) {
    const { board, view } = this;
    if (!shown && !board.cross) return;
    board.cross = shown;
    this.pointer = [view.width / 2, view.height / 2];
    board.hover(shown ? this.zone(this.pointer) : -1);
    board.moved();
  }
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
