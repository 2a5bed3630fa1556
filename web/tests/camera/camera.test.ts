import { describe, expect, it } from "vitest";
import { type Hint, hintOf, steady } from "../../src/camera/hints";
import { squareOf } from "../../src/camera/square";
import { faultOf } from "../../src/camera/stream";
import type { Pixels } from "../../src/photo/pixels";

const LIMITS = {
  min_short_side: 128,
  max_aspect: 2.5,
  min_brightness: 70,
  max_clipped: 0.3,
  min_sharpness: 12,
  min_skin_fraction: 0.25,
};

/** 256 px of one colour with a chequered brightness: sharp, or flat with a swing of 0. */
function drawn(rgb: readonly [number, number, number], swing: number): Pixels {
  const data = new Uint8ClampedArray(256 * 256 * 4).fill(255);
  for (let i = 0; i < 256 * 256; i += 1) {
    const by = ((i >> 2) + (i >> 10)) % 2 ? swing : -swing;
    for (let c = 0; c < 3; c += 1) data[i * 4 + c] = rgb[c]! + by;
  }
  return { data, width: 256, height: 256 };
}

const SKIN = [200, 150, 125] as const;

describe("hints", () => {
  it.each<[Hint, Pixels]>([
    ["good", drawn(SKIN, 8)],
    ["blur", drawn(SKIN, 0)],
    ["dark", drawn([30, 22, 18], 8)],
    ["bright", drawn([252, 252, 251], 0)],
    ["far", drawn([60, 120, 200], 8)],
  ])("tells %s", (hint, pixels) => expect(hintOf(pixels, LIMITS)).toBe(hint));

  it("tells light before distance and distance before sharpness", () => {
    expect(hintOf(drawn([20, 30, 40], 0), LIMITS)).toBe("dark");
    expect(hintOf(drawn([60, 120, 200], 0), LIMITS)).toBe("far");
  });

  it("waits for a second look", () => {
    const told = steady();
    expect((["blur", "good", "good", "blur", "good", "blur", "blur"] as const).map(told)).toEqual([
      null,
      null,
      "good",
      "good",
      "good",
      "good",
      "blur",
    ]);
  });
});

it("takes the square in the middle", () => {
  expect(squareOf(1920, 1080)).toEqual({ left: 528, top: 108, side: 864 });
  expect(squareOf(480, 640)).toEqual({ left: 48, top: 128, side: 384 });
  expect(squareOf(0, 0).side).toBe(0); // before the first picture
});

it("says why there is no picture", () => {
  const named = (name: string): string => faultOf(new DOMException("", name));
  expect(["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError"].map(named)).toEqual([
    "denied",
    "absent",
    "busy",
    "absent",
  ]);
});
