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

/** Opens a model file. */
export type OpenRuntime = (model: Uint8Array, size: number, classes: number, threads: number) => Promise<Runtime>;
