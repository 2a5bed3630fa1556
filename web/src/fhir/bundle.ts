// A result as a FHIR R4 Bundle, as docs/fhir.md describes it. No photo, no name, no date of birth.

import type {
  Bundle, Consent, Device, DiagnosticReport, FhirResource, Observation, ObservationComponent, Patient, Reference, ServiceRequest,
} from "fhir/r4";
import rule from "../messages/rule.en.json";
import type { Outcome } from "../screen/decision";
import type { Agreement, PhotoResult, Result } from "../results/result";
import { concept, condition, PCR, POLICY, PROFILE, SYSTEM } from "./codes";
import { responseOf } from "./response";

/** The last two digits of each resource's UUID; photos count on from 10. */
const NUMBER = { patient: 1, device: 2, consent: 3, answers: 4, screening: 5, report: 6, request: 7, photos: 0x10 } as const;

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  refer: "Refer",
  uncertain: "Uncertain",
  not_suspected: "Not suspected",
  cannot_assess: "Cannot assess",
};

export function toBundle(result: Result): Bundle<FhirResource> {
  const at = (number: number): string => `urn:uuid:${result.id.slice(0, -2)}${number.toString(16).padStart(2, "0")}`;
  const to = (number: number): Reference => ({ reference: at(number) });
  const entries: [number, FhirResource | null][] = [
    [NUMBER.patient, patientOf(result)],
    [NUMBER.device, deviceOf(result)],
    [NUMBER.consent, result.agreement && consentOf(result, result.agreement, to)],
    [NUMBER.answers, responseOf(result, to(NUMBER.patient))],
    [NUMBER.screening, screeningOf(result, to)],
    ...result.photos.map((photo, i): [number, FhirResource] => [NUMBER.photos + i, photoOf(photo, result, to)]),
    [NUMBER.report, reportOf(result, to)],
    [NUMBER.request, requestOf(result, to)],
  ];
  return {
    resourceType: "Bundle",
    meta: { profile: [PROFILE] },
    identifier: { system: SYSTEM.uri, value: at(0) },
    type: "collection",
    timestamp: result.made,
    entry: entries.flatMap(([number, resource]) => (resource ? [{ fullUrl: at(number), resource }] : [])),
  };
}

type To = (number: number) => Reference;

const patientOf = ({ answers }: Result): Patient => ({
  resourceType: "Patient",
  ...(answers.sex ? { gender: answers.sex } : {}),
});

const deviceOf = ({ model }: Result): Device => ({
  resourceType: "Device",
  deviceName: [{ name: "poxlens", type: "manufacturer-name" }],
  version: [{ type: concept(SYSTEM.code, "bundle"), value: model }],
});

function consentOf(result: Result, { by, intimate }: Agreement, to: To): Consent {
  const shown = ["photo-rash", ...(intimate ? ["photo-intimate"] : [])];
  return {
    resourceType: "Consent",
    status: "active",
    scope: concept(SYSTEM.consentScope, "patient-privacy"),
    category: [concept(SYSTEM.loinc, "59284-0"), concept(SYSTEM.consent, by)],
    patient: to(NUMBER.patient),
    dateTime: result.made,
    performer: [by === "guardian" ? { type: "RelatedPerson", display: "Parent or guardian" } : to(NUMBER.patient)],
    policyRule: concept(SYSTEM.policy, POLICY),
    provision: { type: "permit", code: shown.map((code) => concept(SYSTEM.consent, code)) },
  };
}

const screeningOf = (result: Result, to: To): Observation => ({
  resourceType: "Observation",
  status: "preliminary",
  code: concept(SYSTEM.code, "screening", "Screening of a rash for mpox by photo and answers"),
  subject: to(NUMBER.patient),
  effectiveDateTime: result.made,
  valueCodeableConcept: concept(SYSTEM.outcome, result.outcome, OUTCOMES[result.outcome]),
  device: to(NUMBER.device),
  derivedFrom: [to(NUMBER.answers), ...result.photos.map((_, i) => to(NUMBER.photos + i))],
  component: [
    ...reasons(result.reasons),
    { code: concept(SYSTEM.code, "target"), valueCodeableConcept: condition(result.target) },
    number("rule-in", result.limits.ruleIn),
    number("rule-out", result.limits.ruleOut),
    number("novelty-limit", result.limits.novelty),
    { code: concept(SYSTEM.code, "deciding-photo"), valueInteger: result.deciding + 1 },
  ],
});

const photoOf = (photo: PhotoResult, result: Result, to: To): Observation => ({
  resourceType: "Observation",
  status: "preliminary",
  code: concept(SYSTEM.code, "photo", "One photo of the rash"),
  subject: to(NUMBER.patient),
  effectiveDateTime: result.made,
  valueCodeableConcept: concept(SYSTEM.outcome, photo.outcome, OUTCOMES[photo.outcome]),
  device: to(NUMBER.device),
  component: [
    ...reasons(photo.reasons),
    ...Object.entries(photo.probabilities).map(([name, p]) => ({ ...number(name, p), code: concept(SYSTEM.probability, name) })),
    ...photo.notExcluded.map((name) => ({ code: concept(SYSTEM.code, "not-excluded"), valueCodeableConcept: condition(name) })),
    ...(photo.novelty === null ? [] : [number("novelty", photo.novelty)]),
    ...(photo.ita === null ? [] : [number("skin-tone-ita", photo.ita, "deg")]),
    ...(photo.tone === null ? [] : [{ code: concept(SYSTEM.code, "skin-tone"), valueString: photo.tone }]),
    ...(photo.mapUnstable ? [{ code: concept(SYSTEM.code, "map-unstable"), valueBoolean: true }] : []),
  ],
});

const reportOf = (result: Result, to: To): DiagnosticReport => ({
  resourceType: "DiagnosticReport",
  status: "preliminary",
  code: concept(SYSTEM.code, "screening", "Screening of a rash for mpox by photo and answers"),
  subject: to(NUMBER.patient),
  effectiveDateTime: result.made,
  issued: result.made,
  result: [to(NUMBER.screening), ...result.photos.map((_, i) => to(NUMBER.photos + i))],
  conclusion: `${rule[`title.${result.outcome}`]}. ${rule.disclaimer}`,
  conclusionCode: [concept(SYSTEM.outcome, result.outcome)],
});

/** What the answer asks the clinic for; nothing where mpox is not suspected. */
function requestOf(result: Result, to: To): ServiceRequest | null {
  if (result.outcome === "not_suspected") return null;
  const test = result.outcome === "refer";
  return {
    resourceType: "ServiceRequest",
    status: "active",
    intent: "proposal",
    priority: test ? "urgent" : "routine",
    code: test
      ? { coding: [PCR], text: "PCR test of a skin lesion for mpox" }
      : concept(SYSTEM.request, "examination", "Examination of the rash by a health worker"),
    subject: to(NUMBER.patient),
    authoredOn: result.made,
    reasonReference: [to(NUMBER.screening)],
    supportingInfo: [to(NUMBER.answers)],
  };
}

const reasons = (codes: readonly string[]): ObservationComponent[] =>
  codes.map((code) => ({ code: concept(SYSTEM.code, "reason"), valueCodeableConcept: concept(SYSTEM.reason, code) }));

/** A number without a unit ("1") or in degrees. */
const number = (code: string, value: number, unit = "1"): ObservationComponent => ({
  code: concept(SYSTEM.code, code),
  valueQuantity: { value, system: SYSTEM.ucum, code: unit },
});
