// The header of a JPEG: what the decoder needs of it, and nothing of what it says about the person.

import { Unreadable } from "../unreadable";
import { type HuffmanTable, huffmanTable } from "./huffman";

/** A file that is fine for a lenient decoder but not for this one: the browser's takes over. */
export class Irregular extends Error {}

export interface Component {
  id: number;
  h: number;
  v: number;
  /** Index of its quantisation table. */
  tq: number;
  /** Blocks across and down that hold picture. */
  blocksWide: number;
  blocksHigh: number;
  /** The same with the padding to whole MCUs. */
  paddedWide: number;
  paddedHigh: number;
}

export interface Frame {
  progressive: boolean;
  width: number;
  height: number;
  components: Component[];
  maxH: number;
  maxV: number;
  mcusWide: number;
  mcusHigh: number;
}

export interface Header {
  frame: Frame;
  /** EXIF orientation, 1-8. */
  orientation: number;
  /** The colour profile, where a whole one is there. */
  icc: Uint8Array | null;
  /** Adobe's colour transform; null without its marker. */
  adobe: number | null;
  jfif: boolean;
}

/** Tables that change from scan to scan. */
export interface Tables {
  quant: (Int32Array | undefined)[];
  dc: (HuffmanTable | undefined)[];
  ac: (HuffmanTable | undefined)[];
  restart: number;
}

const ZIGZAG = new Uint8Array([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
  28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
  47, 55, 62, 63,
]);

export { ZIGZAG };

/** Read a DQT segment's body into the tables; values stay in natural order. */
export function readQuant(body: Uint8Array, tables: Tables): void {
  let at = 0;
  while (at < body.length) {
    const wide = body[at]! >> 4;
    const slot = body[at]! & 15;
    at += 1;
    if (slot > 3 || wide > 1 || at + 64 * (wide + 1) > body.length) throw new Irregular("quantisation table");
    const table = new Int32Array(64);
    for (let i = 0; i < 64; i += 1) {
      table[ZIGZAG[i]!] = wide ? (body[at]! << 8) | body[at + 1]! : body[at]!;
      at += wide + 1;
    }
    tables.quant[slot] = table;
  }
}

/** Read a DHT segment's body into the tables. */
export function readHuffman(body: Uint8Array, tables: Tables): void {
  let at = 0;
  while (at + 17 <= body.length) {
    const kind = body[at]! >> 4;
    const slot = body[at]! & 15;
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    at += 17;
    if (slot > 3 || kind > 1 || total > 256 || at + total > body.length) throw new Irregular("Huffman table");
    (kind ? tables.ac : tables.dc)[slot] = huffmanTable(counts, body.subarray(at, at + total));
    at += total;
  }
}

/** Read a frame header's body. */
export function readFrame(marker: number, body: Uint8Array): Frame {
  if (body.length < 6) throw new Unreadable("corrupt");
  const height = (body[1]! << 8) | body[2]!;
  const width = (body[3]! << 8) | body[4]!;
  const count = body[5]!;
  const supported = marker === 0xc0 || marker === 0xc1 || marker === 0xc2;
  if (!supported || body[0] !== 8 || (count !== 1 && count !== 3) || body.length < 6 + 3 * count || !height)
    throw new Irregular("kind of frame");
  if (!width) throw new Unreadable("corrupt");
  const parts = Array.from({ length: count }, (_, i) => {
    const [id, sampling, tq] = body.subarray(6 + 3 * i) as unknown as [number, number, number];
    const h = sampling >> 4;
    const v = sampling & 15;
    if (h < 1 || h > 4 || v < 1 || v > 4 || tq > 3) throw new Irregular("sampling");
    return { id, h, v, tq };
  });
  // A lone component is never interleaved: its factors say nothing.
  if (count === 1) Object.assign(parts[0]!, { h: 1, v: 1 });
  const maxH = Math.max(...parts.map((part) => part.h));
  const maxV = Math.max(...parts.map((part) => part.v));
  const mcusWide = Math.ceil(width / (8 * maxH));
  const mcusHigh = Math.ceil(height / (8 * maxV));
  const components = parts.map((part) => ({
    ...part,
    blocksWide: Math.ceil(Math.ceil((width * part.h) / maxH) / 8),
    blocksHigh: Math.ceil(Math.ceil((height * part.v) / maxV) / 8),
    paddedWide: mcusWide * part.h,
    paddedHigh: mcusHigh * part.v,
  }));
  return { progressive: marker === 0xc2, width, height, components, maxH, maxV, mcusWide, mcusHigh };
}
