// How sure an answer is, in people: how often the tests of the bundle gave it to those with and without the target.

import type { Manifest } from "../bundle/manifest";
import type { Outcome } from "./decision";

export interface Frequencies {
  total: number;
  /** How many of the total have the target, and how many of those get this answer. */
  cases: number;
  casesTold: number;
  others: number;
  othersTold: number;
  /** Of 100 with the target in sources never seen in training: the lowest and highest of the sources. */
  unseen: [number, number] | null;
}

const TOTAL = 1000;

/**
 * Counts out of the bundle's evidence; null where it has no such figures.
 *
 * @param prevalence the share with the target among those who use the page; the deployment sets it
 */
export function frequencies(manifest: Manifest, outcome: Outcome, prevalence: number): Frequencies | null {
  const { figures } = manifest.evidence;
  const share = (group: string): number | undefined =>
    figures.find((figure) => figure.name === outcome && figure.group === group)?.interval.value;
  const [sick, well] = [share(`all, ${manifest.target}`), share(`all, not ${manifest.target}`)];
  if (sick === undefined || well === undefined) return null;
  const cases = Math.round(TOTAL * prevalence);
  const unseen = figures
    .filter((figure) => figure.name === outcome && figure.group.endsWith(`never seen in training, ${manifest.target}`))
    .map((figure) => Math.round(100 * figure.interval.value));
  return {
    total: TOTAL,
    cases,
    casesTold: Math.round(cases * sick),
    others: TOTAL - cases,
    othersTold: Math.round((TOTAL - cases) * well),
    unseen: unseen.length ? [Math.min(...unseen), Math.max(...unseen)] : null,
  };
}
