// ONNX Runtime Web, WebAssembly with SIMD: for bundles without a model for LiteRT, and browsers that do not run it.

import * as ort from "onnxruntime-web/wasm";
import glue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { keptFile } from "./files";
import { type OpenRuntime, OUTPUTS, type Outputs, outputsOf } from "./runtime";

export const openOnnx: OpenRuntime = async ({ model, size, classes, threads }) => {
  const [mjs, binary] = [glue, wasm].map((file) => new URL(file, self.location.href).href) as [string, string];
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs };
  ort.env.wasm.wasmBinary = await (await keptFile(binary)).arrayBuffer();
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    // As in Python: weights stored as int8 are made float32 once, not for each photo; a model that computes in eight
    // bits is left as it is.
    extra: { session: { disable_quant_qdq: inEightBits(model) ? "0" : "1", graph_optimizations_loop_level: "0" } },
  });
  delete ort.env.wasm.wasmBinary; // 14 MB
  if (OUTPUTS.some((name) => !session.outputNames.includes(name)) || session.inputNames.join() !== "image")
    throw new Error("the model has other inputs or outputs than a bundle's");
  return {
    files: [import.meta.url, mjs, binary],
    runtime: {
      async run(image): Promise<Outputs> {
        const input = new ort.Tensor("uint8", image, [1, size, size, 3]);
        const found = await session.run({ image: input }, [...OUTPUTS]);
        const taken = OUTPUTS.map((name) => [name, { data: found[name]!.data as Float32Array, shape: found[name]!.dims }]);
        return outputsOf(Object.fromEntries(taken), classes);
      },
      close: () => session.release(),
    },
  };
};

/** Whether it rounds activations too: the name of that operation stands in the file. */
const inEightBits = (model: Uint8Array): boolean => new TextDecoder("latin1").decode(model).includes("QuantizeLinear");
