// Answers as a FHIR QuestionnaireResponse and back, by the questionnaire in the file.

import type { QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer, Reference } from "fhir/r4";
import { type Answers, asked } from "../questions/answers";
import questionnaire from "../questions/questionnaire.json";
import type { Result } from "../results/result";
import { QUESTIONNAIRE } from "./codes";

export type Question = (typeof questionnaire.item)[number];

export function responseOf({ answers, made }: Result, subject: Reference): QuestionnaireResponse {
  const item: QuestionnaireResponseItem[] = questionnaire.item.flatMap((question) => {
    const value = answers[question.linkId as keyof Answers];
    if (value === undefined || !asked(question.linkId, answers)) return [];
    const values = Array.isArray(value) ? (value as string[]) : [value as boolean | number | string];
    return [{ linkId: question.linkId, answer: values.map((one) => answerOf(question, one)) }];
  });
  return {
    resourceType: "QuestionnaireResponse",
    questionnaire: QUESTIONNAIRE,
    status: "completed",
    subject,
    authored: made,
    ...(item.length ? { item } : {}), // an empty list is not valid FHIR
  };
}

function answerOf(question: Question, value: boolean | number | string): QuestionnaireResponseItemAnswer {
  if (typeof value === "boolean") return { valueBoolean: value };
  if (typeof value === "number") return { valueDecimal: value };
  return { valueCoding: { system: question.answerOption![0]!.valueCoding.system, code: value } };
}

/** The answers of a response; what the questionnaire does not know, or of another kind, is left out. */
export function answersOf(items: readonly QuestionnaireResponseItem[] = []): Answers {
  const found = questionnaire.item.flatMap((question): [string, unknown][] => {
    const given = items.find((item) => item.linkId === question.linkId)?.answer ?? [];
    const value = valueOf(question, given);
    return value === undefined ? [] : [[question.linkId, value]];
  });
  return Object.fromEntries(found) as Answers;
}

function valueOf(question: Question, given: readonly QuestionnaireResponseItemAnswer[]): unknown {
  const first = given[0];
  if (question.type === "boolean") return first?.valueBoolean;
  if (question.type === "decimal") {
    const years = first?.valueDecimal;
    return years !== undefined && years >= 0 && years <= 130 ? years : undefined;
  }
  const known = question.answerOption!.map((option) => option.valueCoding.code);
  const codes = known.filter((code) => given.some((one) => one.valueCoding?.code === code));
  if (!codes.length) return undefined;
  return "repeats" in question ? codes : codes[0];
}
