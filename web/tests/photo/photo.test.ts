import { describe, expect, test } from "vitest";
import { boxOf, draftScale, factor, storedBox } from "../../src/photo/decode";
import { sniff } from "../../src/photo/formats";
import { exifOrientation } from "../../src/photo/exif";
import { reduce, source, upright } from "../../src/photo/pixels";
import { canonical, checkQuality, roundEven } from "../../src/photo/quality";
import { prepare } from "../../src/photo/resize";
import { share, skinMask, skinTone } from "../../src/photo/skin";
import photos from "../vectors/photos.json";
import reductions from "../vectors/reductions.json";
import { crc32, difference, fromRgb } from "../vectors";

const LIMITS = {
  min_short_side: 128, max_aspect: 3, min_sharpness: 4, min_brightness: 50, max_clipped: 0.5, min_skin_fraction: 0.25,
};

describe("as Python", () => {
  for (const { width, height, factor: by, rgb, size, expected } of reductions)
    test(`reduced by ${by}`, () => {
      const found = reduce(fromRgb(rgb, width, height), by);
      expect(difference(found, fromRgb(expected, size[0]!, size[1]!))).toBe(0);
    });
  for (const { width, height, size, rgb, input, checks, ita, group } of photos)
    test(`${width} x ${height} px: input, quality, skin`, () => {
      const pixels = fromRgb(rgb, width, height);
      expect(crc32(prepare(pixels, { size, max_aspect: 1.5 }))).toBe(input);
      const small = canonical(pixels);
      const mask = skinMask(small);
      const found = checkQuality({ pixels, width, height, format: "png" }, LIMITS, share(mask));
      for (const [i, [name, value, passed]] of checks.entries()) {
        expect([found[i]!.name, found[i]!.passed]).toEqual([name, passed]);
        const expected = Number(value);
        expect(Math.abs(found[i]!.value - expected)).toBeLessThanOrEqual(1e-5 * Math.abs(expected));
      }
      const tone = skinTone(small, mask);
      expect(tone.group).toBe(group);
      if (ita !== null) expect(tone.ita).toBeCloseTo(ita, 2);
    });
});

describe("which way up", () => {
  const stored = { data: new Uint8ClampedArray(3 * 2 * 4), width: 3, height: 2 };
  stored.data.forEach((_, i) => (stored.data[i] = i % 4 === 3 ? 255 : Math.floor(i / 4)));
  const shown = (orientation: number): number[] => {
    const { data, width } = upright(stored, orientation);
    return [width, ...Array.from({ length: 6 }, (_, i) => data[4 * i]!)];
  };
  // Stored rows 0 1 2 / 3 4 5; the first number is the upright width.
  test.each([
    [1, [3, 0, 1, 2, 3, 4, 5]],
    [2, [3, 2, 1, 0, 5, 4, 3]],
    [3, [3, 5, 4, 3, 2, 1, 0]],
    [4, [3, 3, 4, 5, 0, 1, 2]],
    [5, [2, 0, 3, 1, 4, 2, 5]],
    [6, [2, 3, 0, 4, 1, 5, 2]],
    [7, [2, 5, 2, 4, 1, 3, 0]],
    [8, [2, 2, 5, 1, 4, 0, 3]],
  ])("orientation %i", (orientation, expected) => expect(shown(orientation)).toEqual(expected));

  test("a part of the upright photo is the same part of the stored one", () => {
    for (let orientation = 1; orientation <= 8; orientation += 1) {
      const box = boxOf({ left: 0.5, top: 0, width: 0.5, height: 0.5 }, orientation > 4 ? 60 : 80, orientation > 4 ? 80 : 60);
      const found = storedBox(box, orientation, 80, 60);
      const [x, y] = source(orientation, box.left, box.top, 80, 60);
      expect(x).toBeGreaterThanOrEqual(found.left);
      expect(x).toBeLessThan(found.left + found.width);
      expect(y).toBeGreaterThanOrEqual(found.top);
      expect(y).toBeLessThan(found.top + found.height);
      expect(found.width * found.height).toBe(box.width * box.height);
    }
  });

  test("EXIF", () => {
    const little = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    expect(exifOrientation(Uint8Array.from(little))).toBe(6);
    expect(exifOrientation(Uint8Array.from(little.with(18, 9)))).toBe(1);
    expect(exifOrientation(Uint8Array.from(little.slice(0, 15)))).toBe(1);
    expect(exifOrientation(new Uint8Array())).toBe(1);
  });
});

describe("sizes", () => {
  test("12 megapixels are decoded at an eighth, 640 px at a half", () => {
    expect([factor(4000, 3000, 256), draftScale(4000, 3000, 256)]).toEqual([11, 8]);
    expect(draftScale(640, 640, 256)).toBe(2);
    expect(draftScale(511, 900, 256)).toBe(1);
    expect(draftScale(9000, 400, 256)).toBe(2); // a strip
  });
  test("Python's round", () => expect([0.5, 1.5, 2.5, 2.51].map(roundEven)).toEqual([0, 2, 2, 3]));
});

test("what a file is, its first bytes say", () => {
  const file = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  expect(sniff(file("\xff\xd8\xff\xe0"))).toBe("jpeg");
  expect(sniff(file("\0\0\0\x18ftypheic\0\0\0\0mif1heic"))).toBe("heic");
  expect(sniff(file("\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf"))).toBe("avif");
  expect(() => sniff(file("%PDF-1.7"))).toThrow("unreadable.unsupported");
  expect(() => sniff(file("\0\0\0\x18ftypmp42\0\0\0\0isom"))).toThrow("unreadable.unsupported");
  expect(() => sniff(file("BMW is a car"))).toThrow("unreadable.not_an_image");
});
