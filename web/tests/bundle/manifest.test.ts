import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readManifest } from "../../src/bundle/manifest";
import { usedFiles } from "../../src/bundle/used";
import { frequencies } from "../../src/screen/frequencies";

const text = readFileSync("../src/poxlens/bundles/default/bundle.json", "utf-8");

function changed(change: (fields: Record<string, any>) => void): string {
  const fields = JSON.parse(text) as Record<string, any>;
  change(fields);
  return JSON.stringify(fields);
}

describe("bundle.json", () => {
  test("of the embedded bundle is read, and only what this page uses is fetched", () => {
    const manifest = readManifest(text);
    expect(manifest.target).toBe("mpox");
    const paths = usedFiles(manifest, manifest.models[0]).map((file) => file.path);
    expect(paths).not.toContain("MODEL_CARD.md");
    expect(paths).toContain(manifest.golden[0].file);
  });
  test.each([
    ["gate.novelty_limit: missing", (f: Record<string, any>) => delete f.gate.novelty_limit],
    ["unknown field", (f: Record<string, any>) => (f.more = 1)],
    ["calibration.temperature: 0 is out of range", (f: Record<string, any>) => (f.calibration.temperature = 0)],
    ["format: must be poxlens-bundle/1", (f: Record<string, any>) => (f.format = "poxlens-bundle/2")],
    ["rule_in.threshold: must be number", (f: Record<string, any>) => (f.rule_in.threshold = "0.5")],
    ["files[0].path", (f: Record<string, any>) => (f.files[0].path = "../x")],
    ["target: not one of the classes", (f: Record<string, any>) => (f.target = "smallpox")],
    ["one quantile for each class", (f: Record<string, any>) => delete f.conformal.mpox],
    ["golden: must have one value", (f: Record<string, any>) => f.golden[0].logits.pop()],
    ["not listed", (f: Record<string, any>) => (f.models[0].file = "other.onnx")],
  ])("%s", (message, change) => {
    expect(() => readManifest(changed(change))).toThrow(message);
  });
});

test("how sure an answer is, in people", () => {
  const manifest = readManifest(text);
  const share = (name: string, group: string): number =>
    manifest.evidence.figures.find((figure) => figure.name === name && figure.group === group)!.interval.value;
  const found = frequencies(manifest, "not_suspected", 0.05)!;
  expect(found.cases).toBe(50);
  expect(found.casesTold).toBe(Math.round(50 * share("not_suspected", "all, mpox")));
  expect(found.othersTold).toBe(Math.round(950 * share("not_suspected", "all, not mpox")));
  expect(found.unseen![1]).toBe(Math.round(100 * share("not_suspected", "msid, never seen in training, mpox")));
  expect(frequencies({ ...manifest, evidence: { ...manifest.evidence, figures: [] } }, "refer", 0.1)).toBeNull();
});
