// LiteRT.js, WebAssembly with SIMD and XNNPACK's kernels: the same as natively, so that eight bits round alike.

import { loadLiteRt, Tensor } from "@litertjs/core";
import compatGlue from "@litertjs/core/wasm/litert_wasm_compat_internal.js?glue";
import compatWasm from "@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url";
import relaxedGlue from "@litertjs/core/wasm/litert_wasm_internal.js?glue";
import relaxedWasm from "@litertjs/core/wasm/litert_wasm_internal.wasm?url";
import threadedGlue from "@litertjs/core/wasm/litert_wasm_threaded_internal.js?glue";
import threadedWasm from "@litertjs/core/wasm/litert_wasm_threaded_internal.wasm?url";
import { keptFile } from "./files";
import { type OpenRuntime, OUTPUTS, type Outputs, outputsOf } from "./runtime";
import { unpackWeights } from "./weights";

const BUILDS: Readonly<Record<string, readonly [glue: string, wasm: string]>> = {
  threaded: [threadedGlue, threadedWasm],
  relaxed: [relaxedGlue, relaxedWasm],
  compat: [compatGlue, compatWasm],
};

/** What the glue takes (Emscripten). */
interface Seed {
  mainScriptUrlOrBlob: string;
  locateFile: (name: string) => string;
  printErr: (line: string) => void;
  instantiateWasm: (imports: WebAssembly.Imports, done: (made: WebAssembly.Instance, of: WebAssembly.Module) => void) => void;
}

/** As much of WebGPU as LiteRT.js asks for, without a device: with none at all it writes a warning. */
const NO_CARD = {
  requestAdapter: async () => ({ limits: {}, features: new Set(), requestDevice: async () => null }),
};

const scope = self as unknown as { Module?: Seed; ModuleFactory?: unknown; importScripts: () => void };

export const openLiteRt: OpenRuntime = async ({ model, size, classes, threads, build }) => {
  const [glue, wasm] = BUILDS[build]!.map((file) => new URL(file, self.location.href).href) as [string, string];
  const lite = await load(glue, wasm, threads);
  const compiled = await lite.loadAndCompile(unpackWeights(model), { accelerator: "wasm", cpuOptions: { numThreads: threads } });
  const [input] = compiled.getInputDetails();
  const given = compiled.getOutputDetails().map(({ name }) => name);
  if (input?.name !== "image" || input.dtype !== "float32" || OUTPUTS.some((name) => !given.includes(name)))
    throw new Error("the model has other inputs or outputs than a bundle's");
  return {
    files: [import.meta.url, glue, wasm],
    runtime: {
      async run(image): Promise<Outputs> {
        const tensor = new Tensor(Float32Array.from(image), [1, size, size, 3]);
        const found = await compiled.run({ image: tensor });
        tensor.delete();
        const taken = OUTPUTS.map((name) => {
          const output = found[name]!;
          const data = output.toTypedArray().slice() as Float32Array;
          const shape = [...output.type.layout.dimensions];
          output.delete();
          return [name, { data, shape }];
        });
        return outputsOf(Object.fromEntries(taken), classes);
      },
      async close(): Promise<void> {
        compiled.delete();
      },
    },
  };
};

/** The runtime as LiteRT.js makes it, with its two files from where this page keeps them. */
async function load(glue: string, wasm: string, threads: number): ReturnType<typeof loadLiteRt> {
  // It would look for a graphics card that the page does not use, and start as many threads as there are cores.
  Object.defineProperty(navigator, "gpu", { value: NO_CARD, configurable: true });
  Object.defineProperty(navigator, "hardwareConcurrency", { value: threads, configurable: true });
  const [module] = await Promise.all([
    WebAssembly.compileStreaming(keptFile(wasm)),
    import(/* @vite-ignore */ glue), // leaves ModuleFactory
  ]);
  scope.importScripts = () => undefined; // a worker of modules has none; the glue is there already
  let fail: (why: unknown) => void;
  const broken = new Promise<never>((_, reject) => (fail = reject));
  scope.Module = {
    mainScriptUrlOrBlob: glue,
    locateFile: () => wasm,
    printErr: (line) => {
      if (!/^(INFO|VERBOSE|DEBUG|WARNING)\b/.test(line)) console.error(line); // no graphics card, each step of its start
    },
    instantiateWasm: (imports, done) => {
      WebAssembly.instantiate(module, imports).then((made) => done(made, module), fail); // else it waits for ever
    },
  };
  return Promise.race([loadLiteRt(glue), broken]);
}
