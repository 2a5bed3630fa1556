// A photo file to upright sRGB pixels, as poxlens.photo.decode gives them: no metadata, bounded memory.

import { checkWhole, type Format, pngSize, sniff } from "./formats";
import { isSrgb, toSrgb } from "./icc";
import { Irregular } from "./jpeg/frame";
import { Jpeg } from "./jpeg/decode";
import { type Box, cut, type Pixels, reduce, source, upright } from "./pixels";
import { Unreadable } from "./unreadable";

export const WORKING_SIDE = 256; // px, as in Python
const MAX_PIXELS = 100_000_000;
const MAX_ASPECT = 16; // a longer strip is reduced further: it is refused by its aspect anyway

export interface Photo {
  pixels: Pixels;
  /** Upright size of the part that was asked for, in the file's own pixels. */
  width: number;
  height: number;
  format: Format;
}

/** A part of the upright photo, as shares of its sides. */
export interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

const WHOLE: Part = { left: 0, top: 0, width: 1, height: 1 };

/**
 * Decode one photo, or a part of it.
 *
 * @param side a larger photo is reduced until its short side is in [side, 2 x side), px
 * @throws Unreadable
 */
export async function decode(data: Uint8Array, part: Part = WHOLE, side = WORKING_SIDE): Promise<Photo> {
  if (data.length === 0) throw new Unreadable("empty");
  const format = sniff(data);
  try {
    if (format === "jpeg") return decodeJpeg(data, part, side);
  } catch (fault) {
    if (!(fault instanceof Irregular)) throw fault;
  }
  checkWhole(data, format);
  if (format === "png") checkSize(...pngSize(data));
  return decodeNative(data, format, part, side);
}

function decodeJpeg(data: Uint8Array, part: Part, side: number): Photo {
  const jpeg = new Jpeg(data);
  const { frame, icc, orientation } = jpeg.header;
  checkSize(frame.width, frame.height);
  const convert = icc && frame.components.length === 3 && !isSrgb(icc) ? toSrgb(icc) : null;
  if (convert === undefined) throw new Irregular("a profile of tables");
  const turned = orientation >= 5;
  const [width, height] = turned ? [frame.height, frame.width] : [frame.width, frame.height];
  const box = boxOf(part, width, height);
  const stored = storedBox(box, orientation, frame.width, frame.height);
  const scale = draftScale(stored.width, stored.height, side);
  let pixels = jpeg.decode(scale);
  if (part !== WHOLE) pixels = cut(pixels, shrink(stored, scale, pixels));
  pixels = reduce(pixels, factor(pixels.width, pixels.height, side));
  convert?.(pixels);
  return { pixels: upright(pixels, orientation), width: box.width, height: box.height, format: "jpeg" };
}

/** The size that Pillow's draft mode chooses for what poxlens asks of it. */
export function draftScale(width: number, height: number, side: number): number {
  const by = factor(width, height, side);
  const room = Math.min(
    Math.floor(width / Math.max(1, Math.floor(width / by))),
    Math.floor(height / Math.max(1, Math.floor(height / by))),
  );
  return [8, 4, 2].find((scale) => room >= scale) ?? 1;
}

/** The integer to divide a size by, so that its short side stays >= side (a long strip's may not). */
export function factor(width: number, height: number, side: number): number {
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  return Math.max(1, Math.floor(short / side), Math.ceil(long / (MAX_ASPECT * 2 * side)));
}

function checkSize(width: number, height: number): void {
  if (Math.min(width, height) < 1) throw new Unreadable("corrupt");
  if (width * height > MAX_PIXELS) throw new Unreadable("too_large");
}

/** A part in whole pixels, at least one, inside the picture. */
export function boxOf(part: Part, width: number, height: number): Box {
  const left = Math.min(Math.max(Math.round(part.left * width), 0), width - 1);
  const top = Math.min(Math.max(Math.round(part.top * height), 0), height - 1);
  const right = Math.min(Math.max(Math.round((part.left + part.width) * width), left + 1), width);
  const bottom = Math.min(Math.max(Math.round((part.top + part.height) * height), top + 1), height);
  return { left, top, width: right - left, height: bottom - top };
}

/** The box of the stored picture that a box of the upright one shows. */
export function storedBox(box: Box, orientation: number, width: number, height: number): Box {
  const a = source(orientation, box.left, box.top, width, height);
  const b = source(orientation, box.left + box.width - 1, box.top + box.height - 1, width, height);
  const left = Math.min(a[0], b[0]);
  const top = Math.min(a[1], b[1]);
  return { left, top, width: Math.abs(a[0] - b[0]) + 1, height: Math.abs(a[1] - b[1]) + 1 };
}

function shrink(box: Box, scale: number, pixels: Pixels): Box {
  const left = Math.min(Math.floor(box.left / scale), pixels.width - 1);
  const top = Math.min(Math.floor(box.top / scale), pixels.height - 1);
  const right = Math.min(Math.max(Math.floor((box.left + box.width) / scale), left + 1), pixels.width);
  const bottom = Math.min(Math.max(Math.floor((box.top + box.height) / scale), top + 1), pixels.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** By the browser's decoder, which turns the photo upright and converts its colours. */
async function decodeNative(data: Uint8Array, format: Format, part: Part, side: number): Promise<Photo> {
  let bitmap: ImageBitmap;
  try {
    const type = `image/${format}`;
    bitmap = await createImageBitmap(new Blob([data as Uint8Array<ArrayBuffer>], { type }), {
      imageOrientation: "from-image",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new Unreadable(["heic", "avif", "tiff"].includes(format) ? "unsupported" : "corrupt");
  }
  try {
    checkSize(bitmap.width, bitmap.height);
    const box = boxOf(part, bitmap.width, bitmap.height);
    const pixels = reduceBitmap(bitmap, box, factor(box.width, box.height, side));
    return { pixels, width: box.width, height: box.height, format };
  } finally {
    bitmap.close();
  }
}

/** Reduced in strips: a canvas of 48 megapixels is more than a phone gives. */
function reduceBitmap(bitmap: ImageBitmap, box: Box, by: number): Pixels {
  const rows = by * Math.max(1, Math.floor(4_000_000 / (box.width * by)));
  const width = Math.ceil(box.width / by);
  const height = Math.ceil(box.height / by);
  const out = { data: new Uint8ClampedArray(width * height * 4), width, height };
  const canvas = new OffscreenCanvas(box.width, Math.min(rows, box.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Unreadable("too_large");
  for (let top = 0; top < box.height; top += rows) {
    const high = Math.min(rows, box.height - top);
    context.fillStyle = "#fff"; // transparency is composed on white, as a page shows it
    context.fillRect(0, 0, box.width, high);
    context.drawImage(bitmap, box.left, box.top + top, box.width, high, 0, 0, box.width, high);
    const strip = reduce(context.getImageData(0, 0, box.width, high), by);
    out.data.set(strip.data, (top / by) * width * 4);
  }
  canvas.width = canvas.height = 0; // Safari keeps a canvas's memory until its size is 0
  return out;
}
