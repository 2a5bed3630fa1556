// Which of a bundle's files it takes to run one of its models: nothing else is fetched or kept.

import type { Manifest } from "./manifest";

export type Model = Manifest["models"][number];

/** What a model must give: its own golden outputs where it has some, else the bundle's. */
export const goldenOf = (manifest: Manifest, model: Model): readonly Manifest["golden"][number][] =>
  model.golden ?? manifest.golden;

export function usedFiles(manifest: Manifest, model: Model): Manifest["files"] {
  const wanted = new Set([model.file, ...goldenOf(manifest, model).map((example) => example.file)]);
  return manifest.files.filter((file) => wanted.has(file.path));
}
