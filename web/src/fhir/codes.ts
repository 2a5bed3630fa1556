// The code systems of a result in FHIR (docs/fhir.md). Published codes where there are some, own ones beside them.

import type { Coding, CodeableConcept } from "fhir/r4";

export const PROFILE = "urn:poxlens:profile:result:1";
export const QUESTIONNAIRE = "urn:poxlens:questionnaire:context|2";
/** The policy that was agreed to: the page "Photos and privacy", by edition. */
export const POLICY = "photo-1";

export const SYSTEM = {
  /** What an Observation or a component of one is. */
  code: "urn:poxlens:code",
  outcome: "urn:poxlens:outcome",
  reason: "urn:poxlens:reason",
  /** Classes of the bundle. */
  condition: "urn:poxlens:condition",
  /** Calibrated probability of a class. */
  probability: "urn:poxlens:probability",
  place: "urn:poxlens:place",
  since: "urn:poxlens:since",
  consent: "urn:poxlens:consent",
  policy: "urn:poxlens:policy",
  request: "urn:poxlens:request",
  gender: "http://hl7.org/fhir/administrative-gender",
  icd10: "http://hl7.org/fhir/sid/icd-10",
  loinc: "http://loinc.org",
  ucum: "http://unitsofmeasure.org",
  consentScope: "http://terminology.hl7.org/CodeSystem/consentscope",
  uri: "urn:ietf:rfc:3986",
} as const;

/** ICD-10 (WHO) of the classes that have a code of their own there. */
const ICD10: Readonly<Record<string, string>> = {
  mpox: "B04",
  chickenpox: "B01",
  measles: "B05",
  hfmd: "B08.4",
  acne: "L70",
};

export const PCR: Coding = {
  system: SYSTEM.loinc,
  code: "100383-9",
  display: "Monkeypox virus DNA [Presence] in Specimen by NAA with probe detection",
};

export const concept = (system: string, code: string, text?: string): CodeableConcept => ({
  coding: [{ system, code }],
  ...(text === undefined ? {} : { text }),
});

export function condition(name: string): CodeableConcept {
  const own: Coding = { system: SYSTEM.condition, code: name };
  const published = ICD10[name];
  return { coding: published ? [own, { system: SYSTEM.icd10, code: published }] : [own] };
}

/** The code of one system, or null. */
export const codeIn = (found: CodeableConcept | undefined, system: string): string | null =>
  found?.coding?.find((coding) => coding.system === system)?.code ?? null;
