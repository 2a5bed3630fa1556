// A photo's own colours to sRGB through its profile. iPhones write Display P3: without this their reds are duller here
// than in Python. Matrix profiles are read, which is what cameras write; others are left to the browser.

import type { Pixels } from "./pixels";

// Linear sRGB from XYZ of the profile connection space (D50), Bradford-adapted as in the sRGB profile.
const FROM_XYZ = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;
const STEPS = 16_384;

type Curve = (x: number) => number;

/** Whether the profile is sRGB by its description: most are, and converting would only cost time. */
export function isSrgb(icc: Uint8Array): boolean {
  const found = tag(icc, "desc");
  if (!found) return false;
  const text = String.fromCharCode(...found.subarray(0, 256)).replaceAll("\0", "");
  return text.includes("sRGB");
}

/**
 * A conversion of pixels in place; null when the profile is damaged or for other pixels (then it is ignored, as a
 * photo is still a photo); undefined when it is of a kind that is not read here.
 */
export function toSrgb(icc: Uint8Array): ((pixels: Pixels) => void) | null | undefined {
  if (icc.length < 132 || letters(icc, 16) !== "RGB ") return null;
  if (tag(icc, "A2B0")) return undefined;
  const columns = ["rXYZ", "gXYZ", "bXYZ"].map((name) => xyz(tag(icc, name)));
  const curves = ["rTRC", "gTRC", "bTRC"].map((name) => curve(tag(icc, name)));
  if (columns.some((column) => !column) || curves.some((one) => !one)) return null;
  const matrix = FROM_XYZ.map((row) => columns.map((c) => row[0] * c![0]! + row[1] * c![1]! + row[2] * c![2]!));
  const linear = curves.map((one) => Float64Array.from({ length: 256 }, (_, i) => one!(i / 255)));
  const encoded = Uint8Array.from({ length: STEPS + 1 }, (_, i) => Math.round(255 * encode(i / STEPS)));
  return ({ data }) => {
    for (let i = 0; i < data.length; i += 4) {
      const r = linear[0]![data[i]!]!;
      const g = linear[1]![data[i + 1]!]!;
      const b = linear[2]![data[i + 2]!]!;
      for (let k = 0; k < 3; k += 1) {
        const value = matrix[k]![0]! * r + matrix[k]![1]! * g + matrix[k]![2]! * b;
        data[i + k] = encoded[Math.round(STEPS * Math.min(Math.max(value, 0), 1))]!;
      }
    }
  };
}

const encode = (v: number): number => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

const letters = (icc: Uint8Array, at: number): string => String.fromCharCode(...icc.subarray(at, at + 4));

const number = (icc: Uint8Array, at: number): number =>
  ((icc[at]! << 24) | (icc[at + 1]! << 16) | (icc[at + 2]! << 8) | icc[at + 3]!) >>> 0;

/** 15 bits before, 16 after the point, signed. */
const fixed = (icc: Uint8Array, at: number): number => (number(icc, at) | 0) / 65536;

function tag(icc: Uint8Array, name: string): Uint8Array | null {
  const count = Math.min(number(icc, 128), 100);
  for (let i = 0; i < count; i += 1) {
    const at = 132 + 12 * i;
    if (at + 12 > icc.length || letters(icc, at) !== name) continue;
    const [offset, length] = [number(icc, at + 4), number(icc, at + 8)];
    return offset + length <= icc.length && length >= 8 ? icc.subarray(offset, offset + length) : null;
  }
  return null;
}

function xyz(body: Uint8Array | null): number[] | null {
  return body && body.length >= 20 && letters(body, 0) === "XYZ " ? [8, 12, 16].map((at) => fixed(body, at)) : null;
}

function curve(body: Uint8Array | null): Curve | null {
  if (!body || body.length < 12) return null;
  if (letters(body, 0) === "curv") return tabled(body);
  if (letters(body, 0) !== "para") return null;
  const kind = (body[8]! << 8) | body[9]!;
  const needed = [1, 3, 4, 5, 7][kind];
  if (needed === undefined || body.length < 12 + 4 * needed) return null;
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from({ length: needed }, (_, i) =>
    fixed(body, 12 + 4 * i),
  );
  switch (kind) {
    case 0:
      return (x) => x ** g;
    case 1:
      return (x) => (x >= -b / a ? (a * x + b) ** g : 0);
    case 2:
      return (x) => (x >= -b / a ? (a * x + b) ** g + c : c);
    default:
      return (x) => (x >= d ? (a * x + b) ** g + e : c * x + f);
  }
}

function tabled(body: Uint8Array): Curve | null {
  const count = number(body, 8);
  if (count === 0) return (x) => x;
  if (body.length < 12 + 2 * count) return null;
  const value = (i: number): number => (body[12 + 2 * i]! << 8) | body[13 + 2 * i]!;
  if (count === 1) return (x) => x ** (value(0) / 256);
  return (x) => {
    const at = Math.min(x * (count - 1), count - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, count - 1);
    return (value(low) + (value(high) - value(low)) * (at - low)) / 65535;
  };
}
