// Colour planes to the size of the brightness plane, as libjpeg-turbo does it (jdsample.c): a triangle filter where
// the factors are 2, else each sample repeated.

/** Samples of one component: the first `width` x `height` of rows `stride` apart are picture. */
export interface Plane {
  data: Uint8Array;
  stride: number;
  width: number;
  height: number;
}

/** A plane of exactly `width` x `height` samples, factors `h` and `v` larger. */
export function upsample(plane: Plane, h: number, v: number, width: number, height: number, smooth: boolean): Plane {
  if (h === 1 && v === 1) return plane;
  // Room for the last pair of an odd width.
  const stride = Math.max(width, plane.width * h);
  const out: Plane = { data: new Uint8Array(stride * Math.max(height, plane.height * v)), stride, width, height };
  if (smooth && h === 2 && v === 1 && plane.width > 2) wide(plane, out);
  else if (smooth && h === 2 && v === 2 && plane.width > 2) both(plane, out);
  else if (smooth && h === 1 && v === 2) tall(plane, out);
  else repeat(plane, out, h, v);
  return out;
}

function repeat(from: Plane, out: Plane, h: number, v: number): void {
  for (let y = 0; y < out.height; y += 1) {
    const row = Math.floor(y / v) * from.stride;
    for (let x = 0; x < out.width; x += 1) out.data[y * out.stride + x] = from.data[row + Math.floor(x / h)]!;
  }
}

function wide(from: Plane, out: Plane): void {
  const { data, width: n } = from;
  for (let y = 0; y < from.height; y += 1) {
    const a = y * from.stride;
    let to = y * out.stride;
    out.data[to++] = data[a]!;
    out.data[to++] = (data[a]! * 3 + data[a + 1]! + 2) >> 2;
    for (let x = 1; x < n - 1; x += 1) {
      const value = data[a + x]! * 3;
      out.data[to++] = (value + data[a + x - 1]! + 1) >> 2;
      out.data[to++] = (value + data[a + x + 1]! + 2) >> 2;
    }
    out.data[to++] = (data[a + n - 1]! * 3 + data[a + n - 2]! + 1) >> 2;
    out.data[to] = data[a + n - 1]!;
  }
}

/** The row above or below; the picture's edge is repeated. */
const near = (plane: Plane, y: number): number => Math.min(Math.max(y, 0), plane.height - 1) * plane.stride;

function both(from: Plane, out: Plane): void {
  const { data, width: n } = from;
  for (let y = 0; y < from.height * 2; y += 1) {
    const a = near(from, y >> 1);
    const b = near(from, (y >> 1) + (y & 1 ? 1 : -1));
    let to = y * out.stride;
    let last = 0;
    let here = data[a]! * 3 + data[b]!;
    let next = data[a + 1]! * 3 + data[b + 1]!;
    out.data[to++] = (here * 4 + 8) >> 4;
    out.data[to++] = (here * 3 + next + 7) >> 4;
    for (let x = 2; x < n; x += 1) {
      last = here;
      here = next;
      next = data[a + x]! * 3 + data[b + x]!;
      out.data[to++] = (here * 3 + last + 8) >> 4;
      out.data[to++] = (here * 3 + next + 7) >> 4;
    }
    out.data[to++] = (next * 3 + here + 8) >> 4;
    out.data[to] = (next * 4 + 7) >> 4;
  }
}

function tall(from: Plane, out: Plane): void {
  const { data } = from;
  for (let y = 0; y < from.height * 2; y += 1) {
    const a = near(from, y >> 1);
    const b = near(from, (y >> 1) + (y & 1 ? 1 : -1));
    const bias = y & 1 ? 2 : 1;
    for (let x = 0; x < from.width; x += 1)
      out.data[y * out.stride + x] = (data[a + x]! * 3 + data[b + x]! + bias) >> 2;
  }
}
