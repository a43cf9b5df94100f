// Packed: what the page was given as text, as numbers again.

// Whole numbers: all lowest bytes first, then all that are next.
export async function unpacked({ count, width, data }) {
  const planes = await bytes(data);
  const numbers = width === 1 ? planes : width === 2 ? new Uint16Array(count) : new Uint32Array(count);
  if (width === 1) return numbers;
  for (let plane = 0; plane < width; plane++) {
    const factor = 256 ** plane, start = plane * count;
    for (let i = 0; i < count; i++) numbers[i] += planes[start + i] * factor;
  }
  return numbers;
}

export async function unpackedText({ data }) {
  return JSON.parse(new TextDecoder().decode(await bytes(data)));
}

async function bytes(data) {
  const letters = atob(data), raw = new Uint8Array(letters.length);
  for (let i = 0; i < raw.length; i++) raw[i] = letters.charCodeAt(i);
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
