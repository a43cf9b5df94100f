// Keys: the stage without a pointer: a cross that sets corners, corners that arrows move.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const [STEP, FINE, PAN] = [16, 2, 48];

export class Keys {
  constructor(board, svg, radius) {
    Object.assign(this, { board, radius });
    svg.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.pressed(event.key, event.shiftKey, event.target.closest(".corner"))) event.preventDefault();
    });
  }

  // Do what a key means; true if it means something.
  pressed(key, fine, corner) {
    if (key in ARROWS) return this.arrow(ARROWS[key], fine, corner);
    const { board } = this, drawing = board.tool !== "move";
    if (["+", "=", "-", "_", "0"].includes(key)) return this.zoom(key);
    if (key === "Escape" && (drawing || board.area)) return done(board.remove());
    if (["Delete", "Backspace"].includes(key) && corner) return done(board.drop(+corner.dataset.ring, +corner.dataset.corner));
    if (drawing && key === "Enter" && board.tool === "polygon") return done(board.close());
    if (drawing && (key === " " || key === "Enter")) return done(board.set(this.cross(), this.radius()));
    return false;
  }

  arrow([x, y], fine, corner) {
    const { board } = this, step = fine ? FINE : STEP;
    if (corner) return this.corner(corner, x * step, y * step);
    if (board.tool === "move") board.view.pan(-x * PAN, -y * PAN);
    else {
      const [left, top] = board.view.pixel(this.cross());
      board.cross = board.view.place([left + x * step, top + y * step]);
      board.pointer = board.sketch.length ? board.cross : null;
    }
    return done(board.changed());
  }

  corner(corner, x, y) {
    const { board } = this, { ring, corner: number } = corner.dataset;
    const place = (board.sketch.length ? board.sketch : board.area.rings[ring])[number];
    const [left, top] = board.view.pixel(place);
    board.shift(+ring, +number, board.view.place([left + x, top + y]));
    if (!board.sketch.length) board.made(board.area);
    return true;
  }

  cross() {
    const { board } = this;
    board.cross ??= board.view.place([board.view.width / 2, board.view.height / 2]);
    return board.cross;
  }

  zoom(key) {
    const { board } = this;
    if (key === "0") board.view.show(board.view.whole);
    else board.view.zoom("+=".includes(key) ? 1.5 : 1 / 1.5);
    return done(board.changed());
  }
}

function done() {
  return true;
}
