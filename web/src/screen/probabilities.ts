// From the graph's logits to calibrated probabilities and the classes that cannot be excluded.

import type { Manifest } from "../bundle/manifest";

export type Probabilities = Readonly<Record<string, number>>;

/** softmax(logits / temperature), by class. */
export function probabilities(logits: ArrayLike<number>, manifest: Manifest): Probabilities {
  const scaled = Array.from(logits, (value) => value / manifest.calibration.temperature);
  const top = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - top));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return Object.fromEntries(manifest.classes.map((name, i) => [name, powers[i]! / total]));
}

/** Classes with 1 - p at or below their conformal quantile, in class order. */
export const predictionSet = (probability: Probabilities, manifest: Manifest): string[] =>
  manifest.classes.filter((name) => 1 - probability[name]! <= manifest.conformal[name]!.quantile);
