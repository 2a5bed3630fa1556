import { createHash } from "node:crypto";
import { crc32 as zlibCrc32, inflateRawSync } from "node:zlib";
import { encodeQR } from "qr";
import { decodeQR, decodeQRBatch } from "qr/decode.js";
import { describe, expect, test } from "vitest";
import { toBundle } from "../../src/fhir/bundle";
import { readResult } from "../../src/fhir/read";
import { fromBase45, toBase45 } from "../../src/qr/base45";
import { collect, needed, NOTHING } from "../../src/qr/collect";
import { crc32 } from "../../src/qr/crc32";
import dictionary from "../../src/qr/dictionary.1.txt?raw";
import { joined, type Part, QR, readPart, toParts } from "../../src/qr/parts";
import type { Result } from "../../src/results/result";
import { FULL, PLAIN, REFUSED } from "../results/made";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const partsOf = (texts: readonly string[]): Part[] => texts.map((text) => readPart(text) as Part);

/** As large as a result can be: every class, every answer, twelve photos with numbers of their own. */
const LARGE: Result = {
  ...FULL,
  photos: Array.from({ length: 12 }, (_, k) => ({
    ...FULL.photos[0]!,
    reasons: ["uncertain.between", "uncertain.possible", "uncertain.top_probability"],
    probabilities: { mpox: (3 + k) / 97, chickenpox: (5 + k) / 91, measles: (7 + k) / 89, hfmd: (11 + k) / 83, acne: (13 + k) / 79, "other-rash": (17 + k) / 73, healthy: (19 + k) / 71 },
    notExcluded: ["mpox", "chickenpox", "measles"],
    novelty: (k + 1) / 7,
    ita: 10 - 3.7 * k,
  })).map((photo) => ({
    ...photo,
    probabilities: Object.fromEntries(Object.entries(photo.probabilities).map(([name, p]) => [name, Number(p.toFixed(4))])),
    novelty: Number(photo.novelty.toFixed(3)),
    ita: Number(photo.ita.toFixed(1)),
  })),
};

describe("Base45", () => {
  test.each([
    ["AB", "BB8"],
    ["Hello!!", "%69 VD92EX0"],
    ["base-45", "UJCLQE7W581"],
    ["ietf!", "QED8WEX0"],
  ])("%s as in RFC 9285", (plain, coded) => {
    expect(toBase45(bytesOf(plain))).toBe(coded);
    expect(new TextDecoder().decode(fromBase45(coded)!)).toBe(plain);
  });

  test.each(["GGW", ":::", "A", "ab8", "ÄÖÜ"])("%s is none", (text) => {
    expect(fromBase45(text)).toBeNull();
  });
});

test("CRC-32 is that of zlib", () => {
  for (const text of ["", "a", "123456789", JSON.stringify(toBundle(FULL))])
    expect(parseInt(crc32(bytesOf(text)), 16)).toBe(zlibCrc32(bytesOf(text)));
});

test("the dictionary of form 1 never changes: codes on paper need it", () => {
  expect(createHash("sha256").update(dictionary).digest("hex")).toBe("2b90dbebbafb9567d902fa9336f8771e5c7c4f527799a65ca072284a7906ec1c");
  expect(dictionary).toMatch(/^[\x20-\x7e]+$/);
});

describe.each(Object.entries({ FULL, PLAIN, REFUSED, LARGE }))("%s", (name, result) => {
  const json = JSON.stringify(toBundle(result));
  const texts = toParts(json);

  test("goes through QR codes and back", () => {
    const read = texts.map((text) => {
      const picture = encodeQR(text, "raw", { ecc: QR.correction, border: 4, scale: 3 });
      const side = picture.length;
      expect(side / 3 - 8).toBeLessThanOrEqual(17 + 4 * QR.version);
      const data = Uint8Array.from(picture.flatMap((row) => row.flatMap((dark) => (dark ? [0, 0, 0, 255] : [255, 255, 255, 255]))));
      return decodeQR({ width: side, height: side, data }, { timeLimit: 5_000 });
    });
    expect(read).toEqual(texts);
    expect(joined(partsOf(read))).toBe(json);
    expect(readResult(json)).toEqual(result);
  });

  test("takes as many codes as docs/fhir.md says", () => {
    expect(texts.length).toBe(name === "LARGE" ? 5 : 1);
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(QR.characters);
  });

  test("is read by any zlib that has the dictionary", () => {
    const data = fromBase45(partsOf(texts).map((part) => part.data).join(""))!;
    expect(inflateRawSync(data, { dictionary: Buffer.from(dictionary) }).toString("utf-8")).toBe(json);
  });
});

test("600 characters are what version 15 with correction M holds", () => {
  const side = (text: string): number => encodeQR(text, "raw", { ecc: QR.correction, border: 1 }).length - 2;
  expect(side("A".repeat(QR.characters))).toBe(17 + 4 * QR.version);
  expect(side("A".repeat(QR.characters + 1))).toBe(17 + 4 * (QR.version + 1));
});

describe("collecting", () => {
  const json = JSON.stringify(toBundle(LARGE));
  const texts = toParts(json);

  test("in any order, with repeats", () => {
    let at = NOTHING;
    for (const i of [2, 2, 0, 2, 3, 1]) {
      at = collect(at, texts[i]!);
      expect([at.json, at.told]).toEqual([null, null]);
    }
    expect(needed(at)).toEqual([5]);
    expect(collect(at, `  ${texts[4]!} \n`).json).toBe(json);
  });

  test("a code of another result begins anew", () => {
    const other = toParts(JSON.stringify(toBundle(PLAIN)))[0]!;
    const at = collect(collect(NOTHING, texts[0]!), other);
    expect([at.told, at.json]).toEqual(["switched", JSON.stringify(toBundle(PLAIN))]);
  });

  test.each([
    ["an address", "https://example.org", "foreign"],
    ["nothing", "", "foreign"],
    ["another form", texts[0]!.replace("POX1", "POX2"), "newer"],
    ["the seventh of five", texts[0]!.replace("/1/5/", "/7/5/"), "foreign"],
  ])("%s is told", (_, text, told) => {
    expect(collect(NOTHING, text).told).toBe(told);
  });

  test.each([
    ["letters exchanged", (text: string) => text.slice(0, 40) + text[41] + text[40] + text.slice(42)],
    ["a letter gone", (text: string) => text.slice(0, 60) + text.slice(61)],
    ["another checksum", (text: string) => text.replace(/^POX1\/......../, "POX1/00000000")],
    ["nothing in it", (text: string) => `${text.slice(0, 18)}/`],
  ])("damage is found: %s", (_, damage) => {
    const text = toParts(JSON.stringify(toBundle(FULL)))[0]!;
    expect(damage(text)).not.toBe(text);
    expect(["damaged", "foreign"]).toContain(collect(NOTHING, damage(text)).told);
  });

  test("several codes in one picture", async () => {
    const [a, b] = texts.slice(0, 2).map((text) => encodeQR(text, "raw", { ecc: QR.correction, border: 4, scale: 4 }));
    const rows = a!.map((row, y) => [...row, ...b![y]!]);
    const data = Uint8Array.from(rows.flatMap((row) => row.flatMap((dark) => (dark ? [0, 0, 0, 255] : [255, 255, 255, 255]))));
    const [read] = await decodeQRBatch([{ width: rows[0]!.length, height: rows.length, data }], { effort: 4, timeLimit: 10_000 });
    expect(read!.filter((text) => typeof text === "string").sort()).toEqual(texts.slice(0, 2).sort());
  });
});

test("what is too long for a hundred codes is refused", () => {
  expect(() => toParts("x".repeat(200_001))).toThrow("too long");
});
