// Whether a heat map holds still when the photo is mirrored, as poxlens.screen.stability: one that does not shows chance
// and not evidence. Nothing of the decision depends on it.

/** A map that agrees less with that of the mirrored photo is shown with a warning. */
export const LIMIT = 0.64;

/** A square [size, size, 3] photo with left and right exchanged. */
export function mirrored(image: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(image.length);
  for (let y = 0; y < size; y += 1)
    for (let x = 0; x < size; x += 1) {
      const from = (y * size + x) * 3;
      out.set(image.subarray(from, from + 3), (y * size + size - 1 - x) * 3);
    }
  return out;
}

/** Pearson correlation of a map with the mirrored photo's, turned back; two empty maps agree. */
export function stability(map: Float32Array, ofMirrored: Float32Array, width: number): number {
  const a = centred(map, (i) => i);
  const b = centred(ofMirrored, (i) => i - (i % width) + width - 1 - (i % width));
  const lengths = [a, b].map((values) => Math.sqrt(dot(values, values))) as [number, number];
  const longest = Math.max(...lengths);
  if (Math.min(...lengths) <= 1e-9 * Math.max(1, longest)) return longest <= 1e-9 ? 1 : 0;
  return Math.min(Math.max(dot(a, b) / (lengths[0] * lengths[1]), -1), 1);
}

function centred(map: Float32Array, place: (i: number) => number): Float64Array {
  const values = Float64Array.from(map, (_, i) => map[place(i)]!);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
