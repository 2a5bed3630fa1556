// One person's result, without photos: what the summary shows, the clinic receives and the device may keep.

import type { Manifest } from "../bundle/manifest";
import type { Answers } from "../questions/answers";
import type { Outcome, PersonDecision } from "../screen/decision";
import type { Screened } from "../screen/screener";

/** Who agreed to the photo: the person, an adult to another's help, or a child's parent or guardian. */
export type Consenter = "self" | "adult" | "guardian";

export interface Agreement {
  by: Consenter;
  /** Whether the photo shows an intimate place, to which they agreed in particular. */
  intimate: boolean;
}

export interface PhotoResult {
  outcome: Outcome;
  reasons: readonly string[];
  /** By class; empty for a photo that the model did not see. */
  probabilities: Readonly<Record<string, number>>;
  notExcluded: readonly string[];
  novelty: number | null;
  /** Individual Typology Angle, degrees: an estimate. */
  ita: number | null;
  tone: "light" | "dark" | null;
  /** Whether the heat map changed when the photo was mirrored. */
  mapUnstable: boolean;
}

export interface Result {
  /** A random UUID, version 4, that ends in 00. */
  id: string;
  /** ISO 8601 with seconds and offset. */
  made: string;
  outcome: Outcome;
  reasons: readonly string[];
  /** Index of the photo that decided. */
  deciding: number;
  target: string;
  /** Name, version and digest of the bundle. */
  model: string;
  /** Refers from `ruleIn`, not suspected below `ruleOut`, not assessed above `novelty`. */
  limits: { ruleIn: number; ruleOut: number; novelty: number };
  answers: Answers;
  agreement: Agreement | null;
  photos: readonly PhotoResult[];
}

export interface Made {
  decision: PersonDecision;
  photos: readonly Screened[];
  answers: Answers;
  agreement: Agreement | null;
  manifest: Manifest;
  label: string;
}

/** The result of a screening, with its numbers rounded as they are handed on; `now` and `random` as they are today. */
export function resultOf(made: Made, now = new Date(), random = crypto.getRandomValues(new Uint8Array(16))): Result {
  const { decision, photos, answers, agreement, manifest, label } = made;
  return {
    id: uuid(random),
    made: localTime(now),
    outcome: decision.outcome,
    reasons: decision.reasons,
    deciding: decision.lead,
    target: manifest.target,
    model: label,
    limits: {
      ruleIn: rounded(manifest.rule_in.threshold, 4),
      ruleOut: rounded(manifest.rule_out.threshold, 4),
      novelty: rounded(manifest.gate.novelty_limit, 3),
    },
    answers,
    agreement,
    photos: photos.map(photoResult),
  };
}

function photoResult({ decision, skinTone, unstable }: Screened): PhotoResult {
  const shares = Object.entries(decision.probabilities).map(([name, p]) => [name, rounded(p, 4)] as const);
  return {
    outcome: decision.outcome,
    reasons: decision.reasons,
    probabilities: Object.fromEntries(shares),
    notExcluded: decision.predictionSet,
    novelty: decision.novelty === null ? null : rounded(decision.novelty, 3),
    ita: skinTone?.ita == null ? null : rounded(skinTone.ita, 1),
    tone: skinTone?.group ?? null,
    mapUnstable: unstable,
  };
}

/** The last two digits count what belongs to one result (see fhir/bundle.ts), so they are 00 here. */
function uuid(random: Uint8Array): string {
  const bytes = Uint8Array.from(random);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  bytes[15] = 0;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** As FHIR's dateTime and instant: seconds and the offset of this device's time zone. */
export function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, "0");
  return `${shifted}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
