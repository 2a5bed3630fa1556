import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { unpackWeights } from "../../src/engine/weights";

const small = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../../tests/web/small/${name}`, import.meta.url)));
const halves = small("model-fp16.tflite");

test("weights of 16 bits become the same numbers in 32, and nothing is left to unpack", () => {
  const before = halves.slice();
  const wide = unpackWeights(halves);
  expect(halves).toEqual(before); // the golden outputs are those of the file as it came
  expect(wide.length).toBeGreaterThan(1.5 * halves.length);
  expect(unpackWeights(wide)).toBe(wide);
});

/** The value of 16 bits by another way than the page's table. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size = exponent ? (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15) : (bits & 1023) * 2 ** -24;
  return bits >> 15 ? -size : size;
}

test("runs of weights that lie in the file in 16 bits lie in the new one in 32", () => {
  const [before, wide] = [Buffer.from(halves), Buffer.from(unpackWeights(halves))];
  const each = 16; // weights in a run
  let found = 0;
  for (let at = 0; at + 2 * each <= before.length; at += 2 * each) {
    const values = Float32Array.from({ length: each }, (_, i) => half(before.readUInt16LE(at + 2 * i)));
    const run = Buffer.from(values.buffer);
    if (new Set(values).size > each / 2 && wide.includes(run) && !before.includes(run)) found += 1;
  }
  expect(found).toBeGreaterThan(400); // 455 of about 500: not all tensors begin where a run does
});

test.each(["model-int8.tflite"])("%s is left as it is", (name) => {
  const file = small(name);
  expect(unpackWeights(file)).toBe(file);
});

test("weights of 8 bits become steps times their channel's scale", () => {
  const file = new Uint8Array(readFileSync(new URL("../../../src/poxlens/bundles/default/model-w8.tflite", import.meta.url)));
  const before = file.slice();
  const [old, wide] = [Buffer.from(file), unpackWeights(file)];
  expect(file).toEqual(before);
  expect(wide.length).toBeGreaterThan(3 * file.length);
  expect(unpackWeights(wide)).toBe(wide);
  // In a channel all weights are whole multiples, -127 to 127, of one number: the steps lie in the old file in this order.
  const numbers = new Float32Array(wide.buffer, wide.byteOffset, wide.length >> 2);
  const each = 96;
  let found = 0;
  for (let at = 0; found <= 20 && at + each <= numbers.length; at += each) {
    const run = numbers.subarray(at, at + each);
    const largest = run.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (!(largest > 0) || new Set(run).size < each / 3) continue;
    const steps = Buffer.from(Int8Array.from(run, (value) => Math.round((127 * value) / largest)).buffer);
    if (old.includes(steps)) found += 1;
  }
  expect(found).toBeGreaterThan(20); // a run that holds its channel's largest weight: the scale is known from it
});
