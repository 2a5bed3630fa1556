// Which of a bundle's models this browser runs, and on which build of which runtime: the quickest first.

import { BundleFault } from "../bundle/manifest";
import type { Model } from "../bundle/used";
import type { OpenRuntime } from "./runtime";

/** A way to run a bundle. */
export interface Way {
  model: Model;
  build: string;
  threads: number;
}

/** What this browser can do. */
export interface Abilities {
  /** Shared memory, which a browser gives to isolated pages only. */
  shared: boolean;
  /** Relaxed SIMD, which not every browser has. */
  relaxed: boolean;
  cores: number;
}

// As measured (benchmarks/web_runtimes.py; docs/app.md has the table). Of two that are as quick, the smaller file. Other
// than natively, ONNX Runtime is slower here with eight bits than with floats, and rounds otherwise: last.
const QUICKEST = ["litert int8", "litert w8", "litert fp16", "litert fp32", "onnx w8", "onnx fp16", "onnx fp32", "onnx int8"];
const MOST_THREADS = 4;

/** Every way to run one of the models, best first. @throws BundleFault when there is none */
export function waysOf(models: readonly Model[], { shared, relaxed, cores }: Abilities): Way[] {
  const rank = ({ runtime, precision }: Model): number => {
    const at = QUICKEST.indexOf(`${runtime} ${precision}`);
    return at < 0 ? QUICKEST.length : at;
  };
  const many = shared ? Math.min(MOST_THREADS, Math.max(1, cores)) : 1;
  const ways = [...models]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((model): Way[] => {
      if (model.runtime === "onnx") return [{ model, build: "simd", threads: many }];
      const found: Way[] = [];
      if (relaxed && many > 1) found.push({ model, build: "threaded", threads: many });
      if (relaxed) found.push({ model, build: "relaxed", threads: 1 });
      found.push({ model, build: "compat", threads: 1 });
      return found;
    });
  if (!ways.length) throw new BundleFault("the bundle has no model that this page can run");
  return ways;
}

export const nameOf = ({ model, build }: Way): string => `${model.runtime} ${model.precision} ${build}`;

/** Each runtime is a file of its own, which only a browser that uses it fetches. */
export async function opener({ model }: Way): Promise<OpenRuntime> {
  return model.runtime === "litert" ? (await import("./litert")).openLiteRt : (await import("./onnx")).openOnnx;
}

// (module (func (result v128) i32.const 1 i8x16.splat i32.const 2 i8x16.splat i8x16.relaxed_swizzle))
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

export const abilities = (): Abilities => ({
  shared: self.crossOriginIsolated === true,
  relaxed: WebAssembly.validate(Uint8Array.from(RELAXED)),
  cores: navigator.hardwareConcurrency || 1,
});
