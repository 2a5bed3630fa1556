import { describe, expect, test } from "vitest";
import type { Manifest } from "../../src/bundle/manifest";
import type { CheckName } from "../../src/photo/quality";
import type { Context } from "../../src/screen/context";
import { combine, decide, type Decision } from "../../src/screen/decision";
import { predictionSet, probabilities } from "../../src/screen/probabilities";
import vectors from "../vectors/decisions.json";

const manifest = vectors.manifest as unknown as Manifest;

function decided(n: number, context?: Context): Decision {
  const one = vectors.photos[n]!;
  const calibrated = probabilities(one.logits, manifest);
  const quality = (["blur", "skin"] as CheckName[]).map((name) => ({
    name, value: 1, limit: 2, passed: !(one.failed as string[]).includes(name),
  }));
  const measured = {
    quality, novelty: one.novelty, skinFraction: one.skin,
    probabilities: calibrated, predictionSet: predictionSet(calibrated, manifest),
  };
  return decide(manifest, measured, context);
}

describe("the rule is Python's", () => {
  test("400 photos: probabilities, set, outcome and reasons", () => {
    for (const [n, one] of vectors.photos.entries()) {
      const found = decided(n, one.context as Context);
      Object.values(found.probabilities).forEach((p, i) => expect(p).toBeCloseTo(one.p[i]!, 12));
      expect([n, found.outcome, found.reasons]).toEqual([n, one.outcome, one.reasons]);
      expect(found.predictionSet).toEqual(one.set);
    }
    expect(new Set(vectors.photos.map((one) => one.outcome)).size).toBe(4);
  });
  test("150 persons of several photos", () => {
    for (const person of vectors.persons) {
      const photos = person.photos.map((n) => decided(n));
      const found = combine(photos, person.context as Context);
      expect([found.outcome, found.reasons]).toEqual([person.outcome, person.reasons]);
      expect(found.probabilities.mpox).toBeCloseTo(person.p, 12);
      expect(photos[found.lead]!.probabilities).toEqual(found.probabilities);
    }
  });
});

test("a file that cannot be read is an answer", () => {
  const found = decide(manifest, { unreadable: "truncated" }, { contact_with_case_21d: true });
  expect([found.outcome, found.reasons, found.readable]).toEqual([
    "refer", ["context.contact", "unreadable.truncated"], false,
  ]);
});

test("novelty that is not a number is refused", () => {
  const found = decide(manifest, { novelty: Number.NaN, skinFraction: 0.9, probabilities: { mpox: 0.9 } });
  expect([found.outcome, found.reasons]).toEqual(["cannot_assess", ["novel.unknown"]]);
});
