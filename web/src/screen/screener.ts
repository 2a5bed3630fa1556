// One photo and one bundle: the decision. decode -> quality -> model -> decision, as poxlens.screen.screener.

import type { Manifest } from "../bundle/manifest";
import type { Loaded } from "../bundle/store";
import { checkGolden } from "../engine/golden";
import type { Outputs, Runtime } from "../engine/runtime";
import { decode, type Part, type Photo } from "../photo/decode";
import { canonical, checkQuality } from "../photo/quality";
import { cropBox, prepare } from "../photo/resize";
import { share, skinMask, type SkinTone, skinTone } from "../photo/skin";
import { Unreadable } from "../photo/unreadable";
import { decide, type Decision } from "./decision";
import type { HeatMap } from "./overlay";
import { LIMIT, mirrored, stability } from "./stability";
import { predictionSet, probabilities } from "./probabilities";

/** A decision on one photo with what is shown beside it. */
export interface Screened {
  decision: Decision;
  skinTone: SkinTone | null;
  /** What spoke for the target; null unless the photo was assessed. */
  heatMap: HeatMap | null;
  /** Whether the map changes when the photo is mirrored, so that it must be shown with that warning. */
  unstable: boolean;
  /** The part of the photo that the model saw, as shares: left, top, width, height. */
  seen: [number, number, number, number] | null;
  /** Milliseconds. */
  ms: { decode: number; quality: number; model: number };
}

export class Screener {
  private constructor(
    readonly bundle: Loaded,
    private readonly runtime: Runtime,
    readonly goldenDifference: number,
  ) {}

  /** @throws GoldenFault when the runtime gives other numbers than the bundle promises */
  static async open(bundle: Loaded, runtime: Runtime): Promise<Screener> {
    return new Screener(bundle, runtime, await checkGolden(runtime, bundle));
  }

  /** The decision on one photo or a part of it; one that cannot be read is a decision too. */
  async screen(data: Uint8Array, part?: Part): Promise<Screened> {
    const ms = { decode: 0, quality: 0, model: 0 };
    const start = performance.now();
    try {
      const photo = await decode(data, part);
      ms.decode = performance.now() - start;
      return await this.judge(photo, ms);
    } catch (fault) {
      if (!(fault instanceof Unreadable)) throw fault;
      const decision = decide(this.bundle.manifest, { unreadable: fault.code });
      return { decision, skinTone: null, heatMap: null, unstable: false, seen: null, ms };
    }
  }

  private async judge(photo: Photo, ms: Screened["ms"]): Promise<Screened> {
    const { manifest } = this.bundle;
    const start = performance.now();
    const small = canonical(photo.pixels);
    const mask = skinMask(small);
    const skinFraction = share(mask);
    const quality = checkQuality(photo, manifest.gate.quality, skinFraction);
    const tone = skinTone(small, mask);
    ms.quality = performance.now() - start;
    if (quality.some((check) => !check.passed))
      return { decision: decide(manifest, { quality }), skinTone: tone, heatMap: null, unstable: false, seen: null, ms };
    const before = performance.now();
    const image = prepare(photo.pixels, manifest.input);
    const outputs = await this.runtime.run(image);
    ms.model = performance.now() - before;
    const probability = probabilities(outputs.logits, manifest);
    const decision = decide(manifest, {
      quality,
      novelty: outputs.novelty,
      skinFraction,
      probabilities: probability,
      predictionSet: predictionSet(probability, manifest),
    });
    const { width, height } = photo.pixels;
    const box = cropBox(width, height, manifest.input);
    const seen: Screened["seen"] = [box.left / width, box.top / height, box.width / width, box.height / height];
    const heatMap = decision.assessed ? heatMapOf(outputs, manifest) : null;
    const unstable = heatMap !== null && (await this.changes(heatMap, image));
    return { decision, skinTone: tone, heatMap, unstable, seen, ms };
  }

  private async changes(map: HeatMap, image: Uint8Array): Promise<boolean> {
    const { manifest } = this.bundle;
    const other = heatMapOf(await this.runtime.run(mirrored(image, manifest.input.size)), manifest);
    return stability(map.values, other.values, map.width) < LIMIT;
  }

  /** The model's outputs on pixels that are its input already: for comparing runtimes. */
  outputs(image: Uint8Array): Promise<Outputs> {
    return this.runtime.run(image);
  }

  close(): Promise<void> {
    return this.runtime.close();
  }
}

function heatMapOf({ heatmap, heatmapSize: [height, width] }: Outputs, manifest: Manifest): HeatMap {
  const size = height * width;
  const index = manifest.classes.indexOf(manifest.target);
  const values = heatmap.slice(index * size, (index + 1) * size);
  return { values, height, width, scale: heatmap.reduce((top, value) => Math.max(top, value), 0) };
}
