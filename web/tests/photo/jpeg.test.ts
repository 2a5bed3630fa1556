import { describe, expect, test } from "vitest";
import { Irregular } from "../../src/photo/jpeg/frame";
import { Jpeg } from "../../src/photo/jpeg/decode";
import { Unreadable } from "../../src/photo/unreadable";
import jpegs from "../vectors/jpegs.json";
import { bytes, difference, fromRgb } from "../vectors";

describe("a JPEG gives Pillow's pixels, bit for bit", () => {
  for (const { name, file, scales } of jpegs)
    for (const [scale, { size, rgb }] of Object.entries(scales))
      test(`${name}, 1/${scale}`, () => {
        const found = new Jpeg(bytes(file)).decode(Number(scale));
        expect(difference(found, fromRgb(rgb, size[0]!, size[1]!))).toBe(0);
      });
});

describe("damage", () => {
  const file = bytes(jpegs[2]!.file);
  test("an end that is missing is told as such at every length", () => {
    for (let length = 4; length < file.length - 2; length += 7)
      expect(() => new Jpeg(file.slice(0, length)).decode(1)).toThrow("unreadable.truncated");
  });
  test("an early end marker is left to the browser's decoder", () => {
    const early = new Uint8Array([...file.slice(0, file.length - 300), 0xff, 0xd9]);
    expect(() => new Jpeg(early).decode(1)).toThrow(Irregular);
  });
  test("random damage never does worse than refuse", () => {
    let state = 7;
    const next = (below: number): number => (state = (state * 48271) % 2147483647) % below;
    for (let n = 0; n < 400; n += 1) {
      const damaged = bytes(jpegs[n % jpegs.length]!.file);
      for (let i = 0; i < 3; i += 1) damaged[2 + next(damaged.length - 2)] = next(256);
      try {
        new Jpeg(damaged).decode(2);
      } catch (fault) {
        expect(fault instanceof Unreadable || fault instanceof Irregular, String(fault)).toBe(true);
      }
    }
  });
});
