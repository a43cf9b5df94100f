// Ramp: the colour of a value between the first and the last of a picture's.

export class Ramp {
  constructor(colours, [low, high]) {
    Object.assign(this, { colours, low, high });
  }

  colour(value) {
    const share = this.high > this.low ? (value - this.low) / (this.high - this.low) : 0.5;
    const at = Math.min(1, Math.max(0, share)) * (this.colours.length - 1);
    const [below, above] = [this.colours[Math.floor(at)], this.colours[Math.ceil(at)]].map(parts);
    const mixed = below.map((one, i) => Math.round(one + (above[i] - one) * (at % 1)));
    return `rgb(${mixed.join(" ")})`;
  }
}

function parts(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
