// Is this a usable close-up of skin? The checks of poxlens.photo.quality, number by number.

import type { Manifest } from "../bundle/manifest.gen";
import type { Photo } from "./decode";
import { type Pixels, reduce } from "./pixels";
import { resize } from "./resize";

const GREY_SIDE = 256;
const COLOUR_SIDE = 128;
const CLIPPED = 250;

export type CheckName = "short_side" | "aspect" | "dark" | "bright" | "blur" | "skin";

export interface QualityCheck {
  name: CheckName;
  value: number;
  limit: number;
  passed: boolean;
}

export interface Grey {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** A copy to look for skin in: short side in [128, 256) px. */
export const canonical = (pixels: Pixels): Pixels =>
  reduce(pixels, Math.floor(Math.min(pixels.width, pixels.height) / COLOUR_SIDE));

/** The grey photo (ITU-R 601 luma) with a short side of at most 256 px. */
export function greyCopy(pixels: Pixels): Grey {
  const { width, height } = pixels;
  const data = new Uint8ClampedArray(width * height);
  for (let i = 0, at = 0; i < data.length; i += 1, at += 4)
    data[i] = (pixels.data[at]! * 19595 + pixels.data[at + 1]! * 38470 + pixels.data[at + 2]! * 7471 + 32768) >> 16;
  const short = Math.min(width, height);
  if (short <= GREY_SIDE) return { data, width, height };
  const toWidth = roundEven((width * GREY_SIDE) / short);
  const toHeight = roundEven((height * GREY_SIDE) / short);
  return { data: resize(data, width, height, 1, toWidth, toHeight), width: toWidth, height: toHeight };
}

/** Python's round: a half goes to the even number. */
export const roundEven = (x: number): number => {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
};

/** All checks of a photo, in the order in which they are told to a person. `skin` is the share of skin. */
export function checkQuality(photo: Photo, limits: Manifest["gate"]["quality"], skin: number): QualityCheck[] {
  const grey = greyCopy(photo.pixels);
  const counts = new Float64Array(256);
  for (const level of grey.data) counts[level]! += 1;
  const short = Math.min(photo.width, photo.height);
  const long = Math.max(photo.width, photo.height);
  const clipped = counts.subarray(CLIPPED).reduce((sum, count) => sum + count, 0) / grey.data.length;
  return [
    atLeast("short_side", short, limits.min_short_side),
    atMost("aspect", long / short, limits.max_aspect),
    atLeast("dark", percentile(counts, 0.95), limits.min_brightness),
    atMost("bright", clipped, limits.max_clipped),
    atLeast("blur", sharpness(grey), limits.min_sharpness),
    atLeast("skin", skin, limits.min_skin_fraction),
  ];
}

/** Variance of the Laplacian (Pech-Pacheco 2000). */
export function sharpness({ data, width, height }: Grey): number {
  if (Math.min(width, height) < 3) return 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y += 1)
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const value = 4 * data[at]! - data[at - 1]! - data[at + 1]! - data[at - width]! - data[at + width]!;
      sum += value;
      squares += value * value;
    }
  const n = (width - 2) * (height - 2);
  return squares / n - (sum / n) ** 2;
}

function percentile(counts: Float64Array, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  return counts.findIndex((count) => (seen += count) >= wanted);
}

const atLeast = (name: CheckName, value: number, limit: number): QualityCheck => ({
  name, value, limit, passed: value >= limit,
});

const atMost = (name: CheckName, value: number, limit: number): QualityCheck => ({
  name, value, limit, passed: value <= limit,
});
