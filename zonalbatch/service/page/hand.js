// Hand: what a mouse, a finger or a pen does on the stage.

const STILL = 4;
const DOUBLE = 8;

export class Hand {
  constructor(board, svg, radius) {
    Object.assign(this, { board, svg, radius, pointers: new Map(), grip: null, last: null });
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.moved(event));
    svg.addEventListener("pointerup", (event) => this.up(event));
    svg.addEventListener("pointercancel", (event) => this.forget(event));
    svg.addEventListener("pointerleave", () => this.hover(null));
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button !== 0) return;
    const corner = event.target.closest?.(".corner");
    this.pointers.set(event.pointerId, this.at(event));
    this.svg.setPointerCapture(event.pointerId);
    this.grip = { from: this.at(event), corner, moved: false };
    this.board.cross = null;
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId), now = this.at(event);
    this.hover(now);
    if (!before) return;
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else this.drag(before, now);
    this.pointers.set(event.pointerId, now);
  }

  drag(before, now) {
    const { grip, board } = this;
    grip.moved ||= distance(grip.from, now) > STILL;
    if (!grip.moved) return;
    this.svg.classList.add("dragging");
    if (grip.corner) return board.shift(+grip.corner.dataset.ring, +grip.corner.dataset.corner, board.view.place(now));
    const start = grip.panned ? before : grip.from;
    grip.panned = true;
    board.view.pan(now[0] - start[0], now[1] - start[1]);
    board.changed();
  }

  pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([one]) => one !== id).map(([, at]) => at);
    this.grip.moved = true;
    this.board.view.zoom(distance(now, other) / Math.max(1, distance(before, other)), other);
    this.board.changed();
  }

  up(event) {
    const { grip } = this;
    this.forget(event);
    if (!grip) return;
    if (!grip.moved) this.click(this.at(event), grip.corner);
    else if (grip.corner && !this.board.sketch.length) this.board.made(this.board.area);
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
    this.svg.classList.remove("dragging");
    if (!this.pointers.size) this.grip = null;
  }

  // A second click at the same place soon after the first closes the polygon.
  click(at, corner) {
    const { board, last } = this;
    if (board.tool === "move") return corner?.focus();
    const again = last && performance.now() - last.time < 400 && distance(last.at, at) < DOUBLE;
    this.last = { at, time: performance.now() };
    if (board.sketch.length > 2 && (again || corner?.dataset.corner === "0")) return board.close();
    if (!again) board.set(board.view.place(at), this.radius());
  }

  hover(at) {
    const { board } = this;
    board.dispatchEvent(new CustomEvent("hover", { detail: at && board.view.place(at) }));
    if (!board.sketch.length) return;
    board.pointer = at && board.view.place(at);
    board.changed();
  }

  wheel(event) {
    event.preventDefault();
    this.board.view.zoom(2 ** (-event.deltaY / (event.ctrlKey ? 80 : 320)), this.at(event));
    this.board.changed();
  }
}

function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
