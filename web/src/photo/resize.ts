// The input rule, bit for bit as docs/resize.md says.

import type { Box, Pixels } from "./pixels";

export interface InputRule {
  size: number;
  max_aspect: number;
}

interface Weights {
  first: Int32Array;
  /** `width` weights for each output pixel, zeros behind the last. */
  values: Int32Array;
  width: number;
}

function weights(length: number, size: number): Weights {
  const scale = length / size;
  const support = Math.max(scale, 1);
  const width = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(size);
  const values = new Int32Array(size * width);
  for (let i = 0; i < size; i += 1) {
    const centre = (i + 0.5) * scale;
    const from = Math.max(Math.trunc(centre - support + 0.5), 0);
    const to = Math.min(Math.trunc(centre + support + 0.5), length);
    const w: number[] = [];
    let total = 0;
    for (let x = from; x < to; x += 1) {
      const value = Math.max(0, 1 - Math.abs((x - centre + 0.5) * (1 / support)));
      w.push(value);
      total += value;
    }
    first[i] = from;
    w.forEach((value, n) => (values[i * width + n] = Math.floor(0.5 + (value / total) * 4194304)));
  }
  return { first, values, width };
}

/** Interleaved channels of `width` x `height` to `toWidth` x `toHeight`: rows first, then columns. */
export function resize(
  data: Uint8ClampedArray, width: number, height: number, channels: number, toWidth: number, toHeight: number,
): Uint8ClampedArray {
  const wide = pass(data, channels, width, toWidth, height, channels, width * channels);
  return pass(wide, channels, height, toHeight, toWidth, toWidth * channels, channels);
}

/** One direction: `step` lies between the pixels of a line, `next` between lines; the result is laid out alike. */
function pass(
  data: Uint8ClampedArray, channels: number, length: number, size: number, lines: number, step: number, next: number,
): Uint8ClampedArray {
  if (length === size) return data;
  const { first, values, width } = weights(length, size);
  const out = new Uint8ClampedArray(size * lines * channels);
  const rows = step === channels; // else columns
  for (let l = 0; l < lines; l += 1)
    for (let i = 0; i < size; i += 1) {
      const to = rows ? (l * size + i) * channels : i * step + l * channels;
      for (let c = 0; c < channels; c += 1) {
        let sum = 2097152;
        let at = l * next + first[i]! * step + c;
        for (let n = i * width; n < (i + 1) * width; n += 1, at += step) {
          const k = values[n]!;
          if (k) sum += k * data[at]!;
        }
        out[to + c] = sum >> 22;
      }
    }
  return out;
}

/** The part of a photo that the model sees, centred. */
export function cropBox(width: number, height: number, rule: InputRule): Box {
  const longest = Math.floor(Math.min(width, height) * rule.max_aspect);
  const keptWidth = Math.min(width, longest);
  const keptHeight = Math.min(height, longest);
  const left = Math.floor((width - keptWidth) / 2);
  const top = Math.floor((height - keptHeight) / 2);
  return { left, top, width: keptWidth, height: keptHeight };
}

/** The model's input: [size, size, 3] RGB. */
export function prepare(pixels: Pixels, rule: InputRule): Uint8Array {
  const box = cropBox(pixels.width, pixels.height, rule);
  const rgb = new Uint8ClampedArray(box.width * box.height * 3);
  for (let y = 0, to = 0; y < box.height; y += 1) {
    let at = ((box.top + y) * pixels.width + box.left) * 4;
    for (let x = 0; x < box.width; x += 1, at += 4) {
      rgb[to++] = pixels.data[at]!;
      rgb[to++] = pixels.data[at + 1]!;
      rgb[to++] = pixels.data[at + 2]!;
    }
  }
  const made = resize(rgb, box.width, box.height, 3, rule.size, rule.size);
  return new Uint8Array(made.buffer, made.byteOffset, made.length);
}
