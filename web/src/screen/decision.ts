// The decision: from what was measured on a photo to one outcome with its reasons, as poxlens.screen.decision.
// Readable, then usable, then known, then what it is, then how sure, then the context.

import type { Manifest } from "../bundle/manifest";
import type { QualityCheck } from "../photo/quality";
import type { UnreadableCode } from "../photo/unreadable";
import { type Context, overriding } from "./context";
import type { Probabilities } from "./probabilities";

export type Outcome = "refer" | "not_suspected" | "uncertain" | "cannot_assess";

/** From least to most; the one further right decides for a person with several photos. */
const CONCERN: readonly Outcome[] = ["cannot_assess", "not_suspected", "uncertain", "refer"];

export interface Decision {
  outcome: Outcome;
  /** Reason codes, the weightiest first, never empty. Their sentences are in the message files. */
  reasons: readonly string[];
  probabilities: Probabilities;
  predictionSet: readonly string[];
  novelty: number | null;
  quality: readonly QualityCheck[];
  target: string;
  readable: boolean;
  /** Whether the photo passed every gate, so that its probabilities mean something. */
  assessed: boolean;
}

export interface Measured {
  unreadable?: UnreadableCode;
  quality?: readonly QualityCheck[];
  novelty?: number;
  skinFraction?: number;
  probabilities?: Probabilities;
  predictionSet?: readonly string[];
}

/** The whole rule for one photo, in its order; what comes after the first refusal need not be given. */
export function decide(manifest: Manifest, measured: Measured, context?: Context): Decision {
  const [outcome, reasons] = rule(manifest, measured);
  const decision: Decision = {
    outcome,
    reasons,
    probabilities: measured.probabilities ?? {},
    predictionSet: measured.predictionSet ?? [],
    novelty: measured.novelty ?? null,
    quality: measured.quality ?? [],
    target: manifest.target,
    readable: measured.unreadable === undefined,
    assessed: outcome !== "cannot_assess",
  };
  return context ? withContext(decision, context) : decision;
}

function rule(manifest: Manifest, measured: Measured): [Outcome, string[]] {
  const { unreadable, quality = [], novelty, skinFraction = 1 } = measured;
  if (unreadable !== undefined) return ["cannot_assess", [`unreadable.${unreadable}`]];
  const failed = quality.filter((check) => !check.passed).map((check) => `quality.${check.name}`);
  if (failed.length) return ["cannot_assess", failed];
  // Written so that "not a number" is never below the limit.
  if (novelty !== undefined && !(novelty <= manifest.gate.novelty_limit)) {
    const skin = skinFraction >= manifest.gate.not_skin_fraction;
    return ["cannot_assess", [skin ? "novel.unknown" : "novel.not_skin"]];
  }
  if (novelty === undefined || !measured.probabilities) throw new Error("a usable photo needs its model's outputs");
  return judge(measured.probabilities, measured.predictionSet ?? [], manifest);
}

/** Step 4: outcome and reasons from the calibrated probabilities of a photo that passed the gate. */
export function judge(probability: Probabilities, set: readonly string[], manifest: Manifest): [Outcome, string[]] {
  const p = probability[manifest.target]!;
  if (p >= manifest.rule_in.threshold) return ["refer", ["refer.probability"]];
  const doubts = [
    !(p < manifest.rule_out.threshold) && "uncertain.between",
    set.includes(manifest.target) && "uncertain.possible",
    !set.length && "uncertain.empty_set",
    !(Math.max(...Object.values(probability)) >= manifest.gate.top_probability) && "uncertain.top_probability",
  ].filter((code) => code !== false);
  return doubts.length ? ["uncertain", doubts] : ["not_suspected", ["not_suspected.probability"]];
}

/** Step 5: the person's answers, which never make an outcome milder. */
export function withContext(decision: Decision, context: Context): Decision {
  const why = overriding(context).filter((code) => !decision.reasons.includes(code));
  if (!why.length) return decision;
  // A reassuring sentence must not stand beside a referral.
  const kept = decision.reasons.filter((code) => !code.startsWith("not_suspected."));
  const reasons = decision.outcome === "refer" ? [...kept, ...why] : [...why, ...kept];
  return { ...decision, outcome: "refer", reasons };
}

/** One person's decision, and which photo decided. */
export interface PersonDecision extends Decision {
  lead: number;
  photos: number;
}

/** Any refer decides; else any uncertain; else one assessed photo is enough for not_suspected. */
export function combine(decisions: readonly Decision[], context?: Context): PersonDecision {
  if (!decisions.length) throw new Error("a person needs at least one photo");
  const weight = (decision: Decision): number => CONCERN.indexOf(decision.outcome);
  const most = Math.max(...decisions.map(weight));
  const deciding = decisions.filter((decision) => weight(decision) === most);
  const reasons = new Set(deciding.flatMap((decision) => decision.reasons));
  const outcome = CONCERN[most]!;
  if (outcome !== "cannot_assess" && decisions.some((decision) => decision.outcome === "cannot_assess"))
    reasons.add("person.refused");
  const certainty = (one: Decision): number => (one.assessed ? 1 : 0) + (one.probabilities[one.target] ?? 0);
  const lead = deciding.reduce((best, one) => (certainty(one) > certainty(best) ? one : best));
  const readable = decisions.some((decision) => decision.readable);
  const person: Decision = { ...lead, reasons: [...reasons], readable };
  const place = { lead: decisions.indexOf(lead), photos: decisions.length };
  return { ...(context ? withContext(person, context) : person), ...place };
}
