// A JPEG to pixels at full size, a half, a quarter or an eighth, bit for bit as Pillow's draft mode gives them.
//
// The browser's own decoder is not used where this one works: it gives full size only, so that scaling down differs
// from Pillow by several levels, which moves the probability, and it may add noise against fingerprinting.

import { exifOrientation } from "../exif";
import type { Pixels } from "../pixels";
import { Unreadable } from "../unreadable";
import { type Frame, type Header, Irregular, type Tables, readFrame, readHuffman, readQuant } from "./frame";
import { TRANSFORMS } from "./idct";
import { baselineScan, type Coefficients, coefficientsOf, progressiveScan, readScan } from "./scan";
import { type Plane, upsample } from "./upsample";

const MAX_SEGMENTS = 5_000;
const MAX_SCAN_WORK = 2_000_000_000; // scans x pixels, as in Python

interface Segment {
  marker: number;
  body: Uint8Array;
  end: number;
}

/** A JPEG whose header was read. */
export class Jpeg {
  readonly header: Header;
  private readonly tables: Tables = { quant: [], dc: [], ac: [], restart: 0 };
  private readonly firstScan: Segment;

  /**
   * @throws Unreadable when it is truncated or corrupt
   * @throws Irregular when it is of a kind that the browser's decoder has to read
   */
  constructor(private readonly data: Uint8Array) {
    let frame: Frame | null = null;
    const found = { orientation: 1, seen: false, adobe: null as number | null, jfif: false };
    const profile: Uint8Array[] = [];
    let position = 2;
    for (let n = 0; ; n += 1) {
      if (n > MAX_SEGMENTS) throw new Unreadable("corrupt");
      const segment = this.segment(position);
      const { marker, body } = segment;
      position = segment.end;
      if (marker === 0xda) {
        if (!frame) throw new Unreadable("corrupt");
        const icc = joinProfile(profile);
        this.header = { frame, icc, orientation: found.orientation, adobe: found.adobe, jfif: found.jfif };
        this.firstScan = segment;
        return;
      }
      if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
        if (frame) throw new Unreadable("corrupt");
        frame = readFrame(marker, body);
      } else if (marker === 0xe0 && starts(body, "JFIF\0")) found.jfif = true;
      else if (marker === 0xe1 && !found.seen && starts(body, "Exif\0\0")) {
        found.seen = true;
        found.orientation = exifOrientation(body.subarray(6));
      } else if (marker === 0xe2 && starts(body, "ICC_PROFILE\0")) profile.push(body);
      else if (marker === 0xee && starts(body, "Adobe") && body.length >= 12) found.adobe = body[11]!;
      else this.table(marker, body);
    }
  }

  private table(marker: number, body: Uint8Array): void {
    if (marker === 0xdb) readQuant(body, this.tables);
    else if (marker === 0xc4) readHuffman(body, this.tables);
    else if (marker === 0xdd) this.tables.restart = (body[0]! << 8) | body[1]!;
    else if (marker === 0xcc) throw new Irregular("arithmetic coding");
  }

  private segment(position: number): Segment {
    const { data } = this;
    let at = position;
    for (;;) {
      at = data.indexOf(0xff, at);
      if (at < 0 || at + 1 >= data.length) throw new Unreadable("truncated");
      const marker = data[at + 1]!;
      if (marker === 0xd9) return { marker, body: data.subarray(0, 0), end: at + 2 };
      if (marker === 0 || marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
        at += marker === 0xff ? 1 : 2;
        continue;
      }
      if (at + 4 > data.length) throw new Unreadable("truncated");
      const length = (data[at + 2]! << 8) | data[at + 3]!;
      if (length < 2) throw new Unreadable("corrupt");
      if (at + 2 + length > data.length) throw new Unreadable("truncated");
      return { marker, body: data.subarray(at + 4, at + 2 + length), end: at + 2 + length };
    }
  }

  /**
   * The stored picture, not yet turned, in the file's colours.
   *
   * @param scale 1, 2, 4 or 8: both sides are divided by it, rounded up
   */
  decode(scale: number): Pixels {
    const { frame } = this.header;
    const side = 8 / scale; // of a block after the transform
    const sides = frame.components.map(({ h, v }) => {
      let s = side;
      while (s < 8 && (frame.maxH * side) % (h * s * 2) === 0 && (frame.maxV * side) % (v * s * 2) === 0) s *= 2;
      return s;
    });
    const planes = frame.components.map((component, i): Plane => {
      const s = sides[i]!;
      return {
        data: new Uint8Array(component.paddedWide * component.paddedHigh * s * s),
        stride: component.paddedWide * s,
        width: Math.ceil((frame.width * component.h * s) / (frame.maxH * 8)),
        height: Math.ceil((frame.height * component.v * s) / (frame.maxV * 8)),
      };
    });
    this.scans(planes, sides);
    const width = Math.ceil((frame.width * side) / 8);
    const height = Math.ceil((frame.height * side) / 8);
    const even = planes.map((plane, i) => {
      const { h, v } = frame.components[i]!;
      const [across, down] = [(frame.maxH * side) / (h * sides[i]!), (frame.maxV * side) / (v * sides[i]!)];
      if (!Number.isInteger(across) || !Number.isInteger(down)) throw new Irregular("fractional sampling");
      return upsample(plane, across, down, width, height, side > 1);
    });
    return this.colours(even, width, height);
  }

  private scans(planes: Plane[], sides: number[]): void {
    const { frame } = this.header;
    const done = new Set<number>();
    const coefficients: Coefficients[] = [];
    let segment = this.firstScan;
    for (let n = 1; ; n += 1) {
      if (n > 1 && n * frame.width * frame.height > MAX_SCAN_WORK) throw new Unreadable("corrupt");
      const scan = readScan(segment.body, frame);
      scan.parts.forEach((part) => done.add(part.index));
      let position: number;
      if (frame.progressive) {
        if (!coefficients.length)
          coefficients.push(...frame.components.map((component, i) => coefficientsOf(component, sides[i]!)));
        position = progressiveScan(this.data, segment.end, frame, scan, this.tables, coefficients);
      } else {
        position = baselineScan(this.data, segment.end, frame, scan, this.tables, (i, x, y, c) => {
          const plane = planes[i]!;
          const s = sides[i]!;
          TRANSFORMS[s]!(c, 0, this.quant(i), plane.data, y * s * plane.stride + x * s, plane.stride);
        });
        if (done.size === frame.components.length) return;
      }
      segment = this.next(position);
      if (segment.marker === 0xd9) break;
    }
    if (done.size < frame.components.length) throw new Irregular("a component without a scan");
    coefficients.forEach((c, i) => this.transform(c, i, planes[i]!, sides[i]!));
  }

  private next(position: number): Segment {
    for (let at = position; ; ) {
      const segment = this.segment(at);
      if (segment.marker === 0xda || segment.marker === 0xd9) return segment;
      this.table(segment.marker, segment.body);
      at = segment.end;
    }
  }

  private transform({ values: c, each }: Coefficients, i: number, plane: Plane, s: number): void {
    const { paddedWide, paddedHigh } = this.header.frame.components[i]!;
    const quant = this.quant(i);
    for (let y = 0, at = 0; y < paddedHigh; y += 1)
      for (let x = 0; x < paddedWide; x += 1, at += each)
        TRANSFORMS[s]!(c, at, quant, plane.data, y * s * plane.stride + x * s, plane.stride);
  }

  private quant(i: number): Int32Array {
    const table = this.tables.quant[this.header.frame.components[i]!.tq];
    if (!table) throw new Irregular("missing quantisation table");
    return table;
  }

  private colours(planes: Plane[], width: number, height: number): Pixels {
    const out = new Uint8ClampedArray(width * height * 4).fill(255);
    const { frame, jfif, adobe } = this.header;
    const [first, second, third] = planes as [Plane, Plane | undefined, Plane | undefined];
    const ids = String.fromCharCode(...frame.components.map((component) => component.id));
    const plain = !jfif && (adobe === null ? ids === "RGB" : adobe === 0);
    for (let y = 0, to = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1, to += 4) {
        const a = first.data[y * first.stride + x]!;
        if (!second || !third) {
          out[to] = out[to + 1] = out[to + 2] = a;
          continue;
        }
        const b = second.data[y * second.stride + x]!;
        const c = third.data[y * third.stride + x]!;
        if (plain) {
          out[to] = a;
          out[to + 1] = b;
          out[to + 2] = c;
          continue;
        }
        // 16 bits of fraction, rounded where libjpeg rounds (jdcolor.c).
        out[to] = a + ((91881 * (c - 128) + 32768) >> 16);
        out[to + 1] = a + ((-22554 * (b - 128) - 46802 * (c - 128) + 32768) >> 16);
        out[to + 2] = a + ((116130 * (b - 128) + 32768) >> 16);
      }
    return { data: out, width, height };
  }
}

const starts = (body: Uint8Array, text: string): boolean =>
  [...text].every((letter, i) => body[i] === letter.charCodeAt(0));

/** The colour profile out of its numbered pieces; null when one is missing. */
function joinProfile(pieces: Uint8Array[]): Uint8Array | null {
  if (!pieces.length || pieces.some((piece) => piece.length < 14)) return null;
  const ordered = [...pieces].sort((a, b) => a[12]! - b[12]!);
  if (ordered.length !== ordered[0]![13] || ordered.some((piece, i) => piece[12] !== i + 1)) return null;
  const joined = new Uint8Array(ordered.reduce((sum, piece) => sum + piece.length - 14, 0));
  let at = 0;
  for (const piece of ordered) {
    joined.set(piece.subarray(14), at);
    at += piece.length - 14;
  }
  return joined;
}
