// Pixels of a photo as browsers hold them, and what can be done to them in whole numbers.

/** RGBA, 8 bits, sRGB once decoded; alpha is always 255. */
export interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** A rectangle in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A copy of a part. */
export function cut(pixels: Pixels, box: Box): Pixels {
  if (box.width === pixels.width && box.height === pixels.height) return pixels;
  const data = new Uint8ClampedArray(box.width * box.height * 4);
  for (let y = 0; y < box.height; y += 1) {
    const from = ((box.top + y) * pixels.width + box.left) * 4;
    data.set(pixels.data.subarray(from, from + box.width * 4), y * box.width * 4);
  }
  return { data, width: box.width, height: box.height };
}

/** The mean of each square of `factor` px, smaller at the right and bottom edge, as Pillow's `Image.reduce`. */
export function reduce(pixels: Pixels, factor: number): Pixels {
  if (factor <= 1) return pixels;
  const width = Math.ceil(pixels.width / factor);
  const height = Math.ceil(pixels.height / factor);
  const out = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y += 1) {
    const rows = Math.min(factor, pixels.height - y * factor);
    for (let x = 0; x < width; x += 1) {
      const columns = Math.min(factor, pixels.width - x * factor);
      const count = rows * columns;
      // Pillow multiplies by a 32-bit reciprocal made in single precision; so must we, for the last bit.
      const multiplier = Math.floor(Math.fround(4294967296 / Math.fround(256 * count)));
      let red = count >> 1;
      let green = red;
      let blue = red;
      for (let j = 0; j < rows; j += 1) {
        let at = ((y * factor + j) * pixels.width + x * factor) * 4;
        for (let i = 0; i < columns; i += 1, at += 4) {
          red += pixels.data[at]!;
          green += pixels.data[at + 1]!;
          blue += pixels.data[at + 2]!;
        }
      }
      const to = (y * width + x) * 4;
      out[to] = Math.floor((red * multiplier) / 16777216);
      out[to + 1] = Math.floor((green * multiplier) / 16777216);
      out[to + 2] = Math.floor((blue * multiplier) / 16777216);
    }
  }
  return { data: out, width, height };
}

/** Turned as EXIF orientation 1-8 says. */
export function upright(pixels: Pixels, orientation: number): Pixels {
  if (orientation <= 1 || orientation > 8) return pixels;
  const { width, height } = pixels;
  const from = new Uint32Array(pixels.data.buffer, pixels.data.byteOffset, width * height);
  const [outWidth, outHeight] = orientation >= 5 ? [height, width] : [width, height];
  const to = new Uint32Array(outWidth * outHeight);
  for (let y = 0; y < outHeight; y += 1)
    for (let x = 0; x < outWidth; x += 1) {
      const [u, v] = source(orientation, x, y, width, height);
      to[y * outWidth + x] = from[v * width + u]!;
    }
  return { data: new Uint8ClampedArray(to.buffer), width: outWidth, height: outHeight };
}

/** Where a pixel of the upright picture lies in the stored one. */
export function source(orientation: number, x: number, y: number, width: number, height: number): [number, number] {
  const [r, b] = [width - 1, height - 1];
  const places: Record<number, [number, number]> = {
    2: [r - x, y],
    3: [r - x, b - y],
    4: [x, b - y],
    5: [y, x],
    6: [y, b - x],
    7: [r - y, b - x],
    8: [r - y, x],
  };
  return places[orientation] ?? [x, y];
}
