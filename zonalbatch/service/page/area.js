// Area: GeoJSON as rings of [longitude, latitude] that can be drawn and changed.

const EARTH_RADIUS = 6371008.8;

// The area that a text stands for: {type, rings, radius}; rings are open, each in its polygon.
export function areaOf(text) {
  const given = geometry(parsed(text));
  if (given.type === "Point") return { type: "Point", rings: [[place(given.coordinates)]], groups: [1], radius: Number(given.radius) || 0 };
  if (given.type === "Polygon") return polygons("Polygon", [given.coordinates]);
  if (given.type === "MultiPolygon") return polygons("MultiPolygon", given.coordinates);
  throw new Error(`A ${given.type || "thing without a type"} is no area; give a Polygon, a MultiPolygon or a Point.`);
}

export function polygonOf(ring) {
  return { type: "Polygon", rings: [ring], groups: [1], radius: 0 };
}

export function pointOf(at, radius) {
  return { type: "Point", rings: [[at]], groups: [1], radius };
}

// GeoJSON, as the service takes it.
export function geojson({ type, rings, groups, radius }) {
  if (type === "Point") return { type, coordinates: rings[0][0].map(rounded), ...(radius > 0 && { radius }) };
  const closed = rings.map((ring) => [...ring, ring[0]].map((one) => one.map(rounded)));
  let next = 0;
  const parts = groups.map((count) => closed.slice(next, (next += count)));
  return { type, coordinates: type === "Polygon" ? parts[0] : parts };
}

export function boundsOf({ rings, radius }) {
  const [west, east] = range(rings.flat().map(([lon]) => lon));
  const [south, north] = range(rings.flat().map(([, lat]) => lat));
  const [wide, high] = degrees(radius, (south + north) / 2);
  return { west: west - wide, south: south - high, east: east + wide, north: north + high };
}

// Metres as degrees of longitude and latitude, on a sphere: to show, not to measure.
export function degrees(metres, latitude) {
  const high = metres / EARTH_RADIUS * 180 / Math.PI;
  return [high / Math.max(0.01, Math.cos(latitude * Math.PI / 180)), high];
}

function range(values) {
  return values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
}

function parsed(text) {
  if (!text.trim()) throw new Error("Draw an area, or paste one as GeoJSON.");
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("The area is no JSON; paste a whole GeoJSON geometry.");
  }
}

// What is measured of a Feature, or of a collection with one.
function geometry(given) {
  if (given?.type === "FeatureCollection" && given.features?.length === 1) return geometry(given.features[0]);
  if (given?.type === "Feature") return geometry(given.geometry);
  return given ?? {};
}

function polygons(type, parts) {
  const rings = list(parts).flatMap((part) => list(part).map(ring));
  return { type, rings, groups: parts.map((part) => part.length), radius: 0 };
}

function ring(given) {
  const places = list(given).map(place);
  const [first, last] = [places[0], places.at(-1)];
  if (places.length > 1 && first[0] === last[0] && first[1] === last[1]) places.pop();
  if (places.length < 3) throw new Error("A ring of the area has fewer than three corners.");
  return places;
}

function place(given) {
  const [lon, lat] = list(given).map(Number);
  if (!Number.isFinite(lon) || !Number.isFinite(lat)) throw new Error("A corner of the area is no longitude and latitude.");
  return [lon, lat];
}

function list(given) {
  if (!Array.isArray(given) || !given.length) throw new Error("The area has no coordinates that can be read.");
  return given;
}

// Seven decimals of a degree are a centimetre.
function rounded(value) {
  return Math.round(value * 1e7) / 1e7;
}
