// What a person answers: the fields that the rule uses (Context) and those that only the clinic reads.

import type { Context } from "../screen/context";

export const PLACES = [
  "face", "eyes", "mouth", "neck", "chest", "back", "arms", "hands", "genitals", "bottom", "legs", "feet",
] as const;
export const SINCE = ["1d", "4d", "7d", "14d", "28d", "longer"] as const;

export type Place = (typeof PLACES)[number];
export type Since = (typeof SINCE)[number];

/** A field that is absent was not asked or is not known: neither yes nor no. */
export type Answers = Context & {
  /** Where the rash is, in the order of PLACES; never empty. */
  where?: readonly Place[];
  /** For how long it has been there: up to so many days. */
  since?: Since;
  pregnant?: boolean;
  weak_immunity?: boolean;
};

export type YesNoAnswer =
  | "contact_with_case_21d" | "exposure" | "fever" | "swollen_lymph_nodes"
  | "pregnant" | "weak_immunity" | "risk_group";

/** Whether a question is asked, given the other answers (the questionnaire's enableWhen). */
export const asked = (linkId: string, answers: Answers): boolean => linkId !== "pregnant" || answers.sex !== "male";

/** The answers with one of them changed or, for undefined, taken back; what is no longer asked goes too. */
export function withAnswer<Name extends keyof Answers>(answers: Answers, name: Name, value: Answers[Name]): Answers {
  const { [name]: _, ...rest } = answers;
  const next: Answers = value === undefined ? rest : { ...rest, [name]: value };
  if (asked("pregnant", next)) return next;
  const { pregnant: __, ...others } = next;
  return others;
}

/** Years. Younger children fall ill more severely with mpox (docs/clinic-api.md has the source); the clinic's queue has the same. */
const SMALL_CHILD = 8;

/** Why this person needs care at once whatever the answer is: message keys under "danger.", the gravest first. */
export function dangers(answers: Answers): string[] {
  return [
    answers.where?.includes("eyes") && "eyes",
    answers.pregnant && "pregnant",
    answers.age !== undefined && answers.age < SMALL_CHILD && "child",
    answers.weak_immunity && "immunity",
  ].filter((name) => typeof name === "string");
}
