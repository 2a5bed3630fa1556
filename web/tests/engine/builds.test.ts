import { describe, expect, it } from "vitest";
import type { Model } from "../../src/bundle/used";
import { abilities, nameOf, waysOf } from "../../src/engine/builds";

const model = (runtime: "onnx" | "litert", precision: string): Model => ({
  runtime,
  precision,
  file: `${runtime}-${precision}`,
  golden_tolerance: 0.02,
  golden: null,
});
const ALL = [model("onnx", "fp32"), model("litert", "fp32"), model("onnx", "int8"), model("litert", "int8")];
const PHONE = { shared: true, relaxed: true, cores: 8 };

describe("ways to run a bundle", () => {
  it("takes eight bits in LiteRT first, with threads where memory may be shared", () => {
    const ways = waysOf(ALL, PHONE);
    expect(ways.slice(0, 4).map(nameOf)).toEqual([
      "litert int8 threaded",
      "litert int8 relaxed",
      "litert int8 compat",
      "litert fp32 threaded",
    ]);
    expect(ways[0]!.threads).toBe(4);
    expect(ways.map(nameOf).slice(6)).toEqual(["onnx fp32 simd", "onnx int8 simd"]);
  });

  it("takes 16 bits where there are no eight, in LiteRT before ONNX Runtime", () => {
    const halves = [model("onnx", "fp32"), model("onnx", "fp16"), model("litert", "fp32"), model("litert", "fp16")];
    expect(waysOf(halves, PHONE).map(nameOf)).toEqual([
      ...["threaded", "relaxed", "compat"].map((build) => `litert fp16 ${build}`),
      ...["threaded", "relaxed", "compat"].map((build) => `litert fp32 ${build}`),
      "onnx fp16 simd",
      "onnx fp32 simd",
    ]);
    expect(nameOf(waysOf([...halves, model("litert", "int8")], PHONE)[0]!)).toBe("litert int8 threaded");
    expect(nameOf(waysOf([model("litert", "fp4"), ...halves], PHONE).at(-1)!)).toBe("litert fp4 compat"); // unknown: last
  });

  it("runs on one thread in a page that is not isolated", () => {
    const ways = waysOf(ALL, { ...PHONE, shared: false });
    expect(nameOf(ways[0]!)).toBe("litert int8 relaxed");
    expect(ways.every((way) => way.threads === 1)).toBe(true);
  });

  it("leaves what the browser cannot do", () => {
    expect(waysOf(ALL, { ...PHONE, relaxed: false }).map(nameOf).slice(0, 2)).toEqual([
      "litert int8 compat",
      "litert fp32 compat",
    ]);
    expect(waysOf([ALL[0]!], { shared: true, relaxed: true, cores: 2 })).toEqual([
      { model: ALL[0], build: "simd", threads: 2 },
    ]);
    expect(() => waysOf([], PHONE)).toThrow("no model");
  });

  it("knows relaxed SIMD where it is there", () => {
    Object.assign(globalThis, { self: globalThis });
    expect(abilities().relaxed).toBe(true); // Node's own engine has it
    expect(abilities().shared).toBe(false);
  });
});
