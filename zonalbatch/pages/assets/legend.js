// Legend: which colours mean which values, how long a way is, what is not there.

import { length, round, told } from "./numbers.js";
import { COLOURS } from "./ramp.js";

export function drawLegend(atlas, root) {
  const legend = root.querySelector(".legend"), [low, high] = atlas.range;
  legend.hidden = atlas.empty;
  if (atlas.empty) return;
  const ramp = legend.querySelector(".ramp"), pen = ramp.getContext("2d");
  COLOURS.forEach((colour, i) => {
    pen.fillStyle = colour;
    pen.fillRect(i * ramp.width / COLOURS.length, 0, ramp.width / COLOURS.length + 1, 1);
  });
  const values = [...atlas.table].filter((one) => !Number.isNaN(one)), [least, most] = [values[0], values.at(-1)];
  legend.querySelector(".low").textContent = `${least < low ? "≤ " : ""}${told(low, 3)}`;
  legend.querySelector(".high").textContent = `${most > high ? "≥ " : ""}${told(high, 3)}`;
  legend.title = `${atlas.column} from ${told(least)} to ${told(most)}; colours from ${told(low)} to ${told(high)}, which 96 % of the values are between`;
}

export function drawScale(root, view, metres) {
  const bar = root.querySelector(".scale");
  bar.hidden = !metres;
  if (!metres) return;
  const long = round(110 / view.scale * metres);
  bar.querySelector("i").style.width = `${long / metres * view.scale}px`;
  bar.querySelector("span").textContent = length(long);
}
