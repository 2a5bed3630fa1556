// The scans of a JPEG: coefficients out of the bits. A baseline photo goes block by block to its pixels, so that
// 48 megapixels need no memory; a progressive one has to be kept whole until its last scan.

import { type Component, type Frame, Irregular, type Tables, ZIGZAG } from "./frame";
import { Bits, type HuffmanTable } from "./huffman";

export interface ScanHeader {
  parts: { index: number; dc: number; ac: number }[];
  start: number;
  end: number;
  high: number;
  low: number;
}

/** Read a SOS segment's body. */
export function readScan(body: Uint8Array, frame: Frame): ScanHeader {
  const count = body[0]!;
  if (count < 1 || count > frame.components.length || body.length < 4 + 2 * count) throw new Irregular("scan header");
  const parts = Array.from({ length: count }, (_, i) => {
    const index = frame.components.findIndex((component) => component.id === body[1 + 2 * i]);
    if (index < 0) throw new Irregular("scan of an unknown component");
    return { index, dc: body[2 + 2 * i]! >> 4, ac: body[2 + 2 * i]! & 15 };
  });
  const tail = body.subarray(1 + 2 * count);
  const scan = { parts, start: tail[0]!, end: tail[1]!, high: tail[2]! >> 4, low: tail[2]! & 15 };
  if (frame.progressive && (scan.end > 63 || scan.start > scan.end)) throw new Irregular("spectral selection");
  if (frame.progressive && scan.start > 0 && count > 1) throw new Irregular("several components in an AC scan");
  return scan;
}

/** Called for each block of a scan with the component's index and the block's column and row. */
type Visit = (part: number, column: number, row: number) => void;

function eachBlock(frame: Frame, scan: ScanHeader, restart: number, bits: Bits, reset: () => void, visit: Visit): void {
  const alone = scan.parts.length === 1 ? frame.components[scan.parts[0]!.index]! : null;
  const wide = alone ? alone.blocksWide : frame.mcusWide;
  const high = alone ? alone.blocksHigh : frame.mcusHigh;
  let left = restart;
  for (let y = 0; y < high; y += 1)
    for (let x = 0; x < wide; x += 1) {
      if (restart && left === 0) {
        bits.restart();
        reset();
        left = restart;
      }
      left -= 1;
      if (alone) visit(0, x, y);
      else
        scan.parts.forEach((part, p) => {
          const { h, v } = frame.components[part.index]!;
          for (let j = 0; j < v; j += 1) for (let i = 0; i < h; i += 1) visit(p, x * h + i, y * v + j);
        });
    }
}

function need(table: HuffmanTable | undefined): HuffmanTable {
  if (!table) throw new Irregular("missing Huffman table");
  return table;
}

/**
 * A baseline scan. `block` gets each component's 64 coefficients, in natural order, and where they belong.
 * Returns the position of the marker after the scan.
 */
export function baselineScan(
  data: Uint8Array, position: number, frame: Frame, scan: ScanHeader, tables: Tables,
  block: (index: number, column: number, row: number, coefficients: Int16Array) => void,
): number {
  const bits = new Bits(data, position);
  const dc = scan.parts.map((part) => need(tables.dc[part.dc]));
  const ac = scan.parts.map((part) => need(tables.ac[part.ac]));
  const last = new Int32Array(scan.parts.length);
  const c = new Int16Array(64);
  eachBlock(frame, scan, tables.restart, bits, () => last.fill(0), (p, column, row) => {
    c.fill(0);
    last[p]! += bits.signed(bits.decode(dc[p]!));
    c[0] = last[p]!;
    const table = ac[p]!;
    for (let k = 1; k < 64; k += 1) {
      const symbol = bits.decode(table);
      const size = symbol & 15;
      if (size === 0) {
        if (symbol !== 0xf0) break;
        k += 15;
        continue;
      }
      k += symbol >> 4;
      if (k > 63) throw new Irregular("run past the block");
      c[ZIGZAG[k]!] = bits.signed(size);
    }
    block(scan.parts[p]!.index, column, row, c);
  });
  return bits.position;
}

/** Coefficients of a component, block after block over its padded width. */
export interface Coefficients {
  values: Int16Array;
  /** Of a block: 64, or 1 where a block becomes one pixel, for which its mean is enough. */
  each: number;
}

/** @param side of a block after the transform, px */
export function coefficientsOf(component: Component, side: number): Coefficients {
  const each = side === 1 ? 1 : 64;
  return { values: new Int16Array(component.paddedWide * component.paddedHigh * each), each };
}

/** A progressive scan into the coefficients of all components. Returns a position before the next marker. */
export function progressiveScan(
  data: Uint8Array, position: number, frame: Frame, scan: ScanHeader, tables: Tables, all: Coefficients[],
): number {
  if (scan.start > 0 && all[scan.parts[0]!.index]!.each === 1) return position; // 48 megapixels: 96 MB less
  const bits = new Bits(data, position);
  const last = new Int32Array(scan.parts.length);
  const run = { left: 0 };
  const reset = (): void => {
    last.fill(0);
    run.left = 0;
  };
  const bit = 1 << scan.low;
  const first = scan.high === 0;
  const dc = scan.start === 0 && first ? scan.parts.map((part) => need(tables.dc[part.dc])) : [];
  const ac = scan.start > 0 ? need(tables.ac[scan.parts[0]!.ac]) : null;
  eachBlock(frame, scan, tables.restart, bits, reset, (p, column, row) => {
    const index = scan.parts[p]!.index;
    const { values: c, each } = all[index]!;
    const at = (row * frame.components[index]!.paddedWide + column) * each;
    if (ac) (first ? acFirst : acRefine)(bits, ac, c, at, scan, run);
    else if (first) {
      last[p]! += bits.signed(bits.decode(dc[p]!));
      c[at] = last[p]! * bit;
    } else if (bits.take(1)) c[at]! |= bit;
  });
  return bits.position;
}

function acFirst(
  bits: Bits, table: HuffmanTable, c: Int16Array, at: number, scan: ScanHeader, run: { left: number },
): void {
  if (run.left > 0) {
    run.left -= 1;
    return;
  }
  for (let k = scan.start; k <= scan.end; k += 1) {
    const symbol = bits.decode(table);
    const zeros = symbol >> 4;
    const size = symbol & 15;
    if (size === 0) {
      if (zeros < 15) {
        run.left = (1 << zeros) - 1 + bits.take(zeros);
        return;
      }
      k += 15;
      continue;
    }
    k += zeros;
    if (k > 63) throw new Irregular("run past the block");
    c[at + ZIGZAG[k]!] = bits.signed(size) * (1 << scan.low);
  }
}

function acRefine(
  bits: Bits, table: HuffmanTable, c: Int16Array, at: number, scan: ScanHeader, run: { left: number },
): void {
  const plus = 1 << scan.low;
  const refine = (where: number): void => {
    const value = c[where]!;
    if (bits.take(1) && (Math.abs(value) & plus) === 0) c[where] = value + (value > 0 ? plus : -plus);
  };
  let k = scan.start;
  while (run.left === 0 && k <= scan.end) {
    const symbol = bits.decode(table);
    let zeros = symbol >> 4;
    let fresh = 0;
    if ((symbol & 15) === 0) {
      if (zeros < 15) {
        run.left = (1 << zeros) + bits.take(zeros);
        break;
      }
    } else fresh = bits.take(1) ? plus : -plus;
    for (; k <= scan.end; k += 1) {
      const where = at + ZIGZAG[k]!;
      if (c[where] !== 0) refine(where);
      else if (zeros === 0) {
        if (fresh !== 0) c[where] = fresh;
        k += 1;
        break;
      } else zeros -= 1;
    }
  }
  if (run.left > 0) {
    for (; k <= scan.end; k += 1) if (c[at + ZIGZAG[k]!] !== 0) refine(at + ZIGZAG[k]!);
    run.left -= 1;
  }
}
