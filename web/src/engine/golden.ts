// Golden examples: photos of the bundle with the outputs they must give, so that a browser whose numbers are off
// gives no answer. Each goes the way of every photo.

import { BundleFault, type Manifest } from "../bundle/manifest";
import type { Loaded } from "../bundle/store";
import { goldenOf } from "../bundle/used";
import { decode } from "../photo/decode";
import { prepare } from "../photo/resize";
import type { Outputs, Runtime } from "./runtime";

/** The numbers of this browser differ from the promised ones. */
export class GoldenFault extends BundleFault {}

/** The largest difference found, in the units of the tolerance. @throws GoldenFault */
export async function checkGolden(runtime: Runtime, bundle: Loaded): Promise<number> {
  const tolerance = bundle.model.golden_tolerance;
  let worst = 0;
  for (const example of goldenOf(bundle.manifest, bundle.model)) {
    const { pixels } = await decode(bundle.read(example.file));
    const outputs = await runtime.run(prepare(pixels, bundle.manifest.input));
    for (const [name, difference] of differences(outputs, example)) {
      worst = Math.max(worst, difference);
      if (!(difference <= tolerance))
        throw new GoldenFault(`${example.file}: ${name} differs by ${difference.toPrecision(3)}, allowed is ${tolerance}`);
    }
  }
  return worst;
}

function differences(outputs: Outputs, example: Manifest["golden"][number]): [string, number][] {
  const scale = Math.max(1, Math.abs(example.novelty));
  return [
    ["logits", largest(outputs.logits, example.logits)],
    ["embedding", largest(outputs.embedding.subarray(0, example.embedding_head.length), example.embedding_head)],
    ["novelty", Math.abs(outputs.novelty - example.novelty) / scale],
    ["heatmap", largest(means(outputs), example.heatmap_mean)],
  ];
}

function means({ heatmap, heatmapSize: [height, width] }: Outputs): number[] {
  const size = height * width;
  return Array.from({ length: heatmap.length / size }, (_, c) =>
    heatmap.subarray(c * size, (c + 1) * size).reduce((sum, value) => sum + value, 0) / size,
  );
}

function largest(found: ArrayLike<number>, expected: readonly number[]): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(found[i]! - value)), 0);
}
