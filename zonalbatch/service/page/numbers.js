// Numbers: as people read them.

const LOCALE = "en";

export function told(value, digits = 6) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return value.toExponential(3).replace("e", " e");
  if (Number.isInteger(value)) return value.toLocaleString(LOCALE);
  return value.toLocaleString(LOCALE, { maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(size + 1))) });
}

export function compact(value) {
  return value.toLocaleString(LOCALE, { notation: "compact", maximumSignificantDigits: 3 });
}

export function short(value) {
  return told(value, 4);
}

// An area in the unit that suits it: [number, unit].
export function area(metres) {
  if (metres >= 1e6) return [told(metres / 1e6), "km²"];
  if (metres >= 1e4) return [told(metres / 1e4), "ha"];
  return [told(metres), "m²"];
}

export function length(metres) {
  return metres >= 1000 ? `${told(metres / 1000)} km` : `${told(metres)} m`;
}

export function place([lon, lat], digits = 4) {
  return `${Math.abs(lat).toFixed(digits)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lon).toFixed(digits)}° ${lon < 0 ? "W" : "E"}`;
}

// The largest of 1, 2 and 5 × 10ⁿ that is not more.
export function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((one) => one * power <= value) * power;
}
