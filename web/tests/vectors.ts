// What Python gives (tests/web/vectors.py), as arrays.

import type { Pixels } from "../src/photo/pixels";

export const bytes = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

export function fromRgb(base64: string, width: number, height: number): Pixels {
  const rgb = bytes(base64);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += 4) data.set(rgb.subarray(i, i + 3), at);
  return { data, width, height };
}

/** The largest difference of any channel; infinite when the sizes differ. */
export function difference(a: Pixels, b: Pixels): number {
  if (a.width !== b.width || a.height !== b.height) return Number.POSITIVE_INFINITY;
  return a.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.data[i]!)), 0);
}

/** CRC-32 as zlib's. */
export function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let k = 0; k < 8; k += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
