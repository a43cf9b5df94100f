// Numbers: as people read them.

const LOCALE = "en";

// A number to so many digits.
export function told(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "none";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(digits - 2).replace("-", "−").replace("e−", "e-");
  if (Number.isInteger(value) && size < 1e9) return value.toLocaleString(LOCALE).replace("-", "−");
  return value.toLocaleString(LOCALE, { maximumSignificantDigits: digits }).replace("-", "−");
}

export function counted(count, noun) {
  return `${count.toLocaleString(LOCALE)} ${noun}${count === 1 ? "" : "s"}`;
}

// No digits beyond the steps that a value was rounded to.
export function digitsFor(step) {
  return (value) => {
    if (!(step > 0) || !Number.isFinite(value) || value === 0) return told(value);
    return told(value, Math.min(4, Math.max(2, Math.ceil(Math.log10(Math.abs(value) / step)))));
  };
}

export function share(part) {
  if (part > 0 && part < 0.005) return "<1 %";
  if (part < 1 && part > 0.995) return ">99 %";
  return `${Math.round(part * 100)} %`;
}

export function length(metres) {
  return metres >= 1000 ? `${told(metres / 1000)} km` : metres >= 1 ? `${told(metres)} m` : `${told(metres * 100)} cm`;
}

// The largest of 1, 2 and 5 × 10ⁿ that is not more.
export function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((one) => one * power <= value * 1.000001) * power;
}
