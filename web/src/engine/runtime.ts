// What the page needs of a program that runs the graph; one file for each such program.

/** One photo's outputs. */
export interface Outputs {
  logits: Float32Array;
  embedding: Float32Array;
  /** [classes, height, width] */
  heatmap: Float32Array;
  heatmapSize: [number, number];
  novelty: number;
}

export interface Runtime {
  /** @param image [size, size, 3] RGB */
  run(image: Uint8Array): Promise<Outputs>;
  close(): Promise<void>;
}

/** A model file, and how it is to be run. */
export interface Opening {
  model: Uint8Array;
  /** Side of the square input, px. */
  size: number;
  classes: number;
  threads: number;
  /** Which of a runtime's builds, by the name that `builds.ts` gives it. */
  build: string;
}

/** A runtime that is open, and the files that must be kept for it to open without a network. */
export interface Opened {
  runtime: Runtime;
  files: readonly string[];
}

export type OpenRuntime = (opening: Opening) => Promise<Opened>;

export const OUTPUTS = ["logits", "embedding", "heatmap", "novelty"] as const;

/** Values and shapes of every output, held to what a bundle promises. @throws Error */
export function outputsOf(
  found: Readonly<Record<(typeof OUTPUTS)[number], { data: Float32Array; shape: readonly number[] }>>,
  classes: number,
): Outputs {
  const { logits, embedding, heatmap, novelty } = found;
  const [, channels, height, width] = heatmap.shape;
  if (logits.data.length !== classes || channels !== classes || !height || !width || novelty.data.length !== 1)
    throw new Error("the model gives other shapes than its classes need");
  for (const name of OUTPUTS)
    if (!found[name].data.every(Number.isFinite)) throw new Error(`the model gives ${name} that are not numbers`);
  return {
    logits: logits.data,
    embedding: embedding.data,
    heatmap: heatmap.data,
    heatmapSize: [height, width],
    novelty: novelty.data[0]!,
  };
}
