// Reading bundle.json: the schema, and that its fields agree with each other.

import type { Manifest } from "./manifest.gen";
import { fault } from "./schema";

export type { Manifest };

/** A bundle that may not be used; the message is for whoever looks after the page. */
export class BundleFault extends Error {}

/** @throws BundleFault naming the field */
export function readManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BundleFault("bundle.json is not JSON");
  }
  const found = fault(value);
  if (found) throw new BundleFault(found);
  const manifest = value as Manifest;
  agree(manifest);
  return manifest;
}

function agree(manifest: Manifest): void {
  const { classes, target, conformal } = manifest;
  const listed = new Set(manifest.files.map((file) => file.path));
  const count = classes.length;
  const faults: [boolean, string][] = [
    [new Set(classes).size !== count, "classes: a class is named twice"],
    [!classes.includes(target), "target: not one of the classes"],
    [[manifest.rule_out, manifest.rule_in].some((point) => point.class !== target), "points: not of the target"],
    [
      Object.keys(conformal).length !== count || classes.some((name) => !(name in conformal)),
      "conformal: must have one quantile for each class",
    ],
    [
      manifest.golden.some((one) => one.logits.length !== count || one.heatmap_mean.length !== count),
      "golden: must have one value for each class",
    ],
    [
      [...manifest.models, ...manifest.golden].some((one) => !listed.has(one.file)),
      "files: a model or golden photo is not listed",
    ],
  ];
  const first = faults.find(([wrong]) => wrong);
  if (first) throw new BundleFault(first[1]);
}
