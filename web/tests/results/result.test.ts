import { describe, expect, test } from "vitest";
import type { Manifest } from "../../src/bundle/manifest";
import { localTime, resultOf } from "../../src/results/result";
import { combine, type Decision } from "../../src/screen/decision";
import type { Screened } from "../../src/screen/screener";

const MANIFEST = {
  target: "mpox",
  rule_in: { threshold: 0.123456 },
  rule_out: { threshold: 0.0123456 },
  gate: { novelty_limit: 1.23456 },
} as Manifest;

const decision = (p: number): Decision => ({
  outcome: p > 0.5 ? "refer" : "not_suspected",
  reasons: [p > 0.5 ? "refer.probability" : "not_suspected.probability"],
  probabilities: { mpox: p, acne: 1 - p },
  predictionSet: ["mpox"],
  novelty: 0.98765,
  quality: [],
  target: "mpox",
  readable: true,
  assessed: true,
});
const screened = (p: number): Screened => ({
  decision: decision(p),
  skinTone: { ita: -12.345, itaClass: "brown", group: "dark" },
  heatMap: null,
  unstable: false,
  seen: null,
  ms: { decode: 1, quality: 1, model: 1 },
});

describe("a screening's result", () => {
  const photos = [screened(0.2), screened(0.98765432)];
  const made = { decision: combine(photos.map((one) => one.decision)), photos, answers: { fever: true }, agreement: null, manifest: MANIFEST, label: "x" };
  const result = resultOf(made, new Date("2026-07-01T10:20:30.456Z"), new Uint8Array(16).fill(255));

  test("has rounded numbers and the photo that decided", () => {
    expect(result.limits).toEqual({ ruleIn: 0.1235, ruleOut: 0.0123, novelty: 1.235 });
    expect(result.photos.map((photo) => photo.probabilities.mpox)).toEqual([0.2, 0.9877]);
    expect(result.photos[1]).toMatchObject({ novelty: 0.988, ita: -12.3, tone: "dark", notExcluded: ["mpox"] });
    expect([result.outcome, result.deciding]).toEqual(["refer", 1]);
  });

  test("has a UUID of version 4 that ends in 00", () => {
    expect(result.id).toBe("ffffffff-ffff-4fff-bfff-ffffffffff00");
    expect(resultOf(made).id).not.toBe(resultOf(made).id);
  });
});

test("times are those of the device, with their offset", () => {
  const date = new Date("2026-07-01T10:20:30.456Z");
  const text = localTime(date);
  expect(text).toMatch(/^2026-0[67]-\d\dT\d\d:\d\d:30[+-]\d\d:\d\d$/);
  expect(Date.parse(text)).toBe(Date.parse("2026-07-01T10:20:30Z"));
  const west = Object.assign(new Date(date), { getTimezoneOffset: () => 210 });
  expect(localTime(west)).toBe("2026-07-01T06:50:30-03:30");
  const east = Object.assign(new Date(date), { getTimezoneOffset: () => -345 });
  expect(localTime(east)).toBe("2026-07-01T16:05:30+05:45");
});
