import { expect, test } from "vitest";
import { moved, pulled, scaled } from "../../src/ui/frame";

const part = { left: 0.2, top: 0.3, width: 0.4, height: 0.5 };

test("a frame stays inside the photo", () => {
  expect(moved(part, 0.9, -0.9)).toEqual({ ...part, left: 0.6, top: 0 });
  expect(scaled(part, 10)).toEqual({ left: 0, top: 0, width: 1, height: 1 });
  expect(scaled(part, 0.001).width).toBe(0.08);
});

test("a corner is pulled and the opposite one stays", () => {
  const near = pulled(part, 0, -0.1, 0.1);
  [near.left, near.top, near.width, near.height].forEach((side, i) => expect(side).toBeCloseTo([0.1, 0.4, 0.5, 0.4][i]!));
  const far = pulled(part, 2, 1, 1);
  expect([far.left, far.top, far.width, far.height]).toEqual([0.2, 0.3, 0.8, 0.7]);
  expect(pulled(part, 0, 1, 1).width).toBeCloseTo(0.08);
});
