// ONNX Runtime Web, WebAssembly with SIMD.

import * as ort from "onnxruntime-web/wasm";
import glue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { BundleFault } from "../bundle/manifest";
import type { OpenRuntime, Outputs } from "./runtime";

const OUTPUTS = ["logits", "embedding", "heatmap", "novelty"] as const;

export const openOnnx: OpenRuntime = async (model, size, classes, threads) => {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: new URL(glue, self.location.href), wasm: new URL(wasm, self.location.href) };
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    // As in Python: weights stored as int8 are made float32 once, not for each photo.
    extra: { session: { disable_quant_qdq: "1", graph_optimizations_loop_level: "0" } },
  });
  if (OUTPUTS.some((name) => !session.outputNames.includes(name)) || session.inputNames.join() !== "image")
    throw new BundleFault("the model has other inputs or outputs than a bundle's");
  return {
    async run(image) {
      const input = new ort.Tensor("uint8", image, [1, size, size, 3]);
      const found = await session.run({ image: input }, [...OUTPUTS]);
      return checked(found as Record<string, ort.Tensor>, classes);
    },
    close: () => session.release(),
  };
};

function checked(found: Record<string, ort.Tensor>, classes: number): Outputs {
  const [logits, embedding, heatmap, novelty] = OUTPUTS.map((name) => found[name]!.data as Float32Array);
  const [, channels, height, width] = found.heatmap!.dims as [number, number, number, number];
  if (logits!.length !== classes || channels !== classes || novelty!.length !== 1)
    throw new BundleFault("the model gives other shapes than its classes need");
  for (const values of [logits!, embedding!, heatmap!, novelty!])
    if (!values.every(Number.isFinite)) throw new BundleFault("the model gives values that are not numbers");
  return { logits: logits!, embedding: embedding!, heatmap: heatmap!, heatmapSize: [height, width], novelty: novelty![0]! };
}
