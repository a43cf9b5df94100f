// Ramp: colours from low to high that are told apart by lightness alone (Viridis).

const ANCHORS = ["#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725"];

export const STEPS = 64;

export const COLOURS = Array.from({ length: STEPS }, (_, i) => mixed(i / (STEPS - 1)));

// Which of the steps a value has.
export function stepOf(value, low, high) {
  const part = high > low ? (value - low) / (high - low) : 0.5;
  return Math.min(STEPS - 1, Math.max(0, Math.floor(part * STEPS)));
}

function mixed(part) {
  const at = part * (ANCHORS.length - 1), below = Math.floor(at), above = Math.ceil(at);
  const [from, to] = [parts(ANCHORS[below]), parts(ANCHORS[above])];
  return `rgb(${from.map((one, i) => Math.round(one + (to[i] - one) * (at - below))).join(" ")})`;
}

function parts(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
