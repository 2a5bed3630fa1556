// Where skin is in a photo, and how light it is, as poxlens.photo.skin estimates both.

import type { Pixels } from "./pixels";

const MIN_RED = 20;
const MIN_PIXELS = 200;
const SAMPLE = 4096;
const RED = 2;
const ITA_CLASSES = [
  [55, "very light"],
  [41, "light"],
  [28, "intermediate"],
  [10, "tan"],
  [-30, "brown"],
] as const;

export interface SkinTone {
  /** Individual Typology Angle, degrees; null when there is too little skin. */
  ita: number | null;
  itaClass: string | null;
  group: "light" | "dark" | null;
}

/** 1 for each pixel with the colour of skin. */
export function skinMask({ data, width, height }: Pixels): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < mask.length; i += 1, at += 4) {
    const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
    const total = r + g + b;
    const redness = r - g;
    const skin =
      r >= MIN_RED &&
      redness * 83 >= total &&
      (r - b) * 50 >= total &&
      (g - b) * 28 <= total + redness * 37 &&
      redness * 5 <= total * 3;
    mask[i] = skin ? 1 : 0;
  }
  return mask;
}

export const share = (mask: Uint8Array): number => mask.reduce((sum, one) => sum + one, 0) / mask.length;

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const code = i / 255;
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4;
});

/** ITA of the median L* and b* of the skin, without pixels much redder than the rest. */
export function skinTone({ data, width, height }: Pixels, mask: Uint8Array): SkinTone {
  const n = mask.reduce((sum, one) => sum + one, 0);
  if (n < MIN_PIXELS) return { ita: null, itaClass: null, group: null };
  let step = Math.max(1, Math.floor(Math.sqrt(Math.floor(n / SAMPLE))));
  let sample = pick(mask, width, height, step);
  if (sample.length < MIN_PIXELS) {
    step = 1;
    sample = pick(mask, width, height, step);
  }
  const redness = sample.map((i) => Math.log(LINEAR[data[4 * i]!]! / Math.max(LINEAR[data[4 * i + 1]!]!, 1e-4)));
  const middle = median(redness);
  const spread = 1.4826 * median(redness.map((value) => Math.abs(value - middle)));
  const kept = sample.filter((_, k) => redness[k]! <= middle + RED * spread).map((i) => lab(data, 4 * i));
  const lightness = median(kept.map(([l]) => l));
  const yellowness = median(kept.map(([, b]) => b));
  const ita = (Math.atan2(lightness - 50, yellowness) * 180) / Math.PI;
  const itaClass = ITA_CLASSES.find(([limit]) => ita > limit)?.[1] ?? "dark";
  return { ita, itaClass, group: ita > 10 ? "light" : "dark" };
}

function pick(mask: Uint8Array, width: number, height: number, step: number): number[] {
  const found: number[] = [];
  for (let y = 0; y < height; y += step)
    for (let x = 0; x < width; x += step) if (mask[y * width + x]) found.push(y * width + x);
  return found;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!;

/** L* and b* (CIE 1976, D65, 2 degrees). */
function lab(data: Uint8ClampedArray, at: number): [number, number] {
  const [r, g, b] = [LINEAR[data[at]!]!, LINEAR[data[at + 1]!]!, LINEAR[data[at + 2]!]!];
  const y = curve(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = curve((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 200 * (y - z)];
}

const curve = (ratio: number): number => (ratio > 216 / 24389 ? Math.cbrt(ratio) : (ratio * 841) / 108 + 4 / 29);
