import { expect, test } from "vitest";
import { mirrored, stability } from "../../src/screen/stability";

test("left and right are exchanged", () => {
  expect([...mirrored(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 2)]).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
});

test("a map that is the mirrored one turned back holds still", () => {
  const map = Float32Array.of(1, 2, 3, 0, 5, 1);
  expect(stability(map, Float32Array.of(3, 2, 1, 1, 5, 0), 3)).toBeCloseTo(1);
  expect(stability(map, map, 3)).toBeCloseTo(11 / 16);
  expect(stability(new Float32Array(6), new Float32Array(6), 3)).toBe(1);
  expect(stability(map, new Float32Array(6).fill(2), 3)).toBe(0);
});
