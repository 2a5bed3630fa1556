// Which of a bundle's models this page runs, and which files that takes: nothing else is fetched or kept.

import { BundleFault, type Manifest } from "./manifest";

export type Model = Manifest["models"][number];

/** Runtimes of this page, best first. */
const RUNTIMES: readonly Model["runtime"][] = ["onnx"];

/** @throws BundleFault when this page runs none of them */
export function chosenModel(manifest: Manifest): Model {
  for (const runtime of RUNTIMES) {
    const usable = manifest.models.filter((model) => model.runtime === runtime);
    const found = usable.find((model) => model.precision === "fp32") ?? usable[0];
    if (found) return found;
  }
  throw new BundleFault("the bundle has no model that this page can run");
}

/** What a model must give: its own golden outputs where it has some, else the bundle's. */
export const goldenOf = (manifest: Manifest, model: Model): readonly Manifest["golden"][number][] =>
  model.golden ?? manifest.golden;

export function usedFiles(manifest: Manifest): Manifest["files"] {
  const model = chosenModel(manifest);
  const wanted = new Set([model.file, ...goldenOf(manifest, model).map((example) => example.file)]);
  return manifest.files.filter((file) => wanted.has(file.path));
}
