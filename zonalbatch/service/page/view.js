// View: which box of longitude and latitude is seen; both run straight, as in the pictures.

const CLOSEST = 1e8;

export class View {
  constructor() {
    this.width = this.height = 1;
    this.look({ west: -180, south: -90, east: 180, north: 90 });
  }

  // Take a box as the whole, and show it.
  look(whole) {
    this.whole = whole;
    this.narrowing = Math.max(0.01, Math.cos((whole.south + whole.north) / 2 * Math.PI / 180));
    this.show(whole);
  }

  // Show a box with a margin around it.
  show({ west, south, east, north }) {
    this.lon = (west + east) / 2;
    this.lat = (south + north) / 2;
    const wide = this.width / ((east - west) * this.narrowing), high = this.height / (north - south);
    this.scale = Math.min(CLOSEST, 0.94 * Math.min(wide, high));
  }

  // Pixels of a degree of latitude that show the whole.
  get least() {
    const { west, south, east, north } = this.whole;
    return 0.94 * Math.min(this.width / ((east - west) * this.narrowing), this.height / (north - south));
  }

  resize(width, height) {
    const ratio = this.scale / this.least;
    [this.width, this.height] = [width, height];
    this.scale = this.least * ratio;
  }

  pixel([lon, lat]) {
    return [
      this.width / 2 + (lon - this.lon) * this.scale * this.narrowing,
      this.height / 2 - (lat - this.lat) * this.scale,
    ];
  }

  place([x, y]) {
    return [
      this.lon + (x - this.width / 2) / (this.scale * this.narrowing),
      this.lat - (y - this.height / 2) / this.scale,
    ];
  }

  pan(x, y) {
    [this.lon, this.lat] = this.place([this.width / 2 - x, this.height / 2 - y]);
    const { west, south, east, north } = this.whole;
    this.lon = Math.min(east, Math.max(west, this.lon));
    this.lat = Math.min(north, Math.max(south, this.lat));
  }

  // Come closer by a factor, such that what is at a pixel stays there.
  zoom(times, at = [this.width / 2, this.height / 2]) {
    const kept = this.place(at);
    this.scale = Math.min(CLOSEST, Math.max(this.least / 4, this.scale * times));
    const now = this.pixel(kept);
    this.pan(at[0] - now[0], at[1] - now[1]);
  }

  get bounds() {
    const [west, north] = this.place([0, 0]), [east, south] = this.place([this.width, this.height]);
    return { west, south, east, north };
  }

  // What is seen of the whole; null if that is nothing.
  get seen() {
    const [a, b] = [this.bounds, this.whole];
    const seen = {
      west: Math.max(a.west, b.west), south: Math.max(a.south, b.south),
      east: Math.min(a.east, b.east), north: Math.min(a.north, b.north),
    };
    return seen.west < seen.east && seen.south < seen.north ? seen : null;
  }
}
