// What kind of file this is, by its first bytes and never by its name; and whether its end is there.

import { Unreadable } from "./unreadable";

export type Format = "jpeg" | "png" | "webp" | "heic" | "avif" | "tiff" | "bmp" | "gif";

const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "mif2"];
const AVIF = ["avif", "avis"];

const READ: readonly (readonly [string, Format])[] = [
  ["\xff\xd8\xff", "jpeg"],
  ["\x89PNG\r\n\x1a\n", "png"],
  ["GIF87a", "gif"],
  ["GIF89a", "gif"],
  ["II*\0", "tiff"],
  ["MM\0*", "tiff"],
  ["II+\0", "tiff"],
  ["MM\0+", "tiff"],
];

const OTHER_IMAGES = [
  "%PDF-", "8BPS", "\0\0\0\x0cjP  ", "\xff\x4f\xff\x51", "\xff\x0a", "\0\0\0\x0cJXL ", "\0\0\x01\0",
  "FUJIFILMCCD-RAW", "IIU\0", "IIRO", "gimp xcf", "%!PS",
];

/** The format of a file. */
export function sniff(data: Uint8Array): Format {
  const head = latin(data, 0, 1024);
  for (const [magic, format] of READ) if (head.startsWith(magic)) return format;
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "webp";
  if (head.slice(4, 8) === "ftyp") return sniffBoxes(head);
  if (head.startsWith("BM") && [12, 16, 40, 52, 56, 64, 108, 124].includes(little(data, 14))) return "bmp";
  const other = OTHER_IMAGES.some((magic) => head.startsWith(magic)) || head.toLowerCase().includes("<svg");
  throw new Unreadable(other ? "unsupported" : "not_an_image");
}

function sniffBoxes(head: string): Format {
  const size = Math.min(big(Uint8Array.from(head.slice(0, 4), (c) => c.charCodeAt(0)), 0), 256);
  const brands = [head.slice(8, 12)];
  for (let i = 16; i < size - 3; i += 4) brands.push(head.slice(i, i + 4));
  for (const brand of brands) {
    if (AVIF.includes(brand)) return "avif";
    if (HEIC.includes(brand) && !brands.some((other) => AVIF.includes(other))) return "heic";
  }
  throw new Unreadable("unsupported");
}

/** Browsers show the part of a file that is there; the lesion may be in the part that is not. */
export function checkWhole(data: Uint8Array, format: Format): void {
  if (format === "png" && !pngEnds(data)) throw new Unreadable("truncated");
  if (format === "webp" && little(data, 4) + 8 > data.length) throw new Unreadable("truncated");
  if (format === "bmp" && little(data, 10) > data.length) throw new Unreadable("truncated");
}

function pngEnds(data: Uint8Array): boolean {
  for (let at = 8; at + 12 <= data.length; at += 12 + big(data, at)) if (latin(data, at + 4, 4) === "IEND") return true;
  return false;
}

/** Width and height by a PNG's header, so that a bomb is refused before it is decoded. */
export function pngSize(data: Uint8Array): [number, number] {
  return [big(data, 16), big(data, 20)];
}

const latin = (data: Uint8Array, at: number, n: number): string =>
  String.fromCharCode(...data.subarray(at, at + n));

const big = (data: Uint8Array, at: number): number =>
  data[at]! * 16777216 + ((data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!);

const little = (data: Uint8Array, at: number): number =>
  data[at + 3]! * 16777216 + ((data[at + 2]! << 16) | (data[at + 1]! << 8) | data[at]!);
