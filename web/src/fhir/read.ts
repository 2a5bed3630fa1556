// A FHIR Bundle as a result again: the way back of bundle.ts. What comes from outside is read with care.

import type { Bundle, CodeableConcept, Consent, Device, FhirResource, Observation, ObservationComponent, QuestionnaireResponse } from "fhir/r4";
import type { Outcome } from "../screen/decision";
import type { Agreement, Consenter, PhotoResult, Result } from "../results/result";
import { codeIn, PROFILE, SYSTEM } from "./codes";
import { answersOf } from "./response";

const OUTCOMES: readonly string[] = ["refer", "uncertain", "not_suspected", "cannot_assess"] satisfies Outcome[];
const CONSENTERS: readonly string[] = ["self", "adult", "guardian"] satisfies Consenter[];
const MAX_TEXT = 200_000; // characters; twelve photos take about 40,000
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const CODE = /^[\w.-]{1,64}$/;

/** Not a result of this page; the message names the place. */
export class ResultFault extends Error {}

/** @throws ResultFault */
export function readResult(text: string): Result {
  if (text.length > MAX_TEXT) throw new ResultFault("too long for a result");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ResultFault("not JSON");
  }
  try {
    return fromBundle(value as Bundle<FhirResource>);
  } catch (fault) {
    if (fault instanceof ResultFault) throw fault;
    throw new ResultFault("not as docs/fhir.md describes it"); // a field of another kind than FHIR's
  }
}

/** @throws ResultFault */
export function fromBundle(bundle: Bundle<FhirResource>): Result {
  if (bundle?.resourceType !== "Bundle") throw new ResultFault("not a FHIR Bundle");
  if (!bundle.meta?.profile?.includes(PROFILE)) throw new ResultFault(`meta.profile: not ${PROFILE}`);
  const resources = (bundle.entry ?? []).map((entry) => entry.resource);
  const observations = all<Observation>(resources, "Observation");
  const screening = observations.find((one) => codeIn(one.code, SYSTEM.code) === "screening");
  if (!screening) throw new ResultFault("no Observation of the screening");
  const photos = observations.filter((one) => codeIn(one.code, SYSTEM.code) === "photo").map(photoOf);
  const consent = all<Consent>(resources, "Consent")[0];
  return {
    id: matching(bundle.identifier?.value, UUID, "identifier").slice("urn:uuid:".length),
    made: matching(bundle.timestamp, TIME, "timestamp"),
    outcome: outcomeOf(screening.valueCodeableConcept),
    reasons: reasonsOf(screening),
    deciding: decidingOf(screening, photos.length),
    target: coded(component(screening, "target")?.valueCodeableConcept, SYSTEM.condition, "target"),
    model: String(all<Device>(resources, "Device")[0]?.version?.[0]?.value ?? "").slice(0, 200),
    limits: {
      ruleIn: number(screening, "rule-in"),
      ruleOut: number(screening, "rule-out"),
      novelty: number(screening, "novelty-limit"),
    },
    answers: answersOf(all<QuestionnaireResponse>(resources, "QuestionnaireResponse")[0]?.item),
    agreement: consent ? agreementOf(consent) : null,
    photos,
  };
}

function photoOf(found: Observation): PhotoResult {
  const probabilities = (found.component ?? []).flatMap((one): [string, number][] => {
    const name = codeIn(one.code, SYSTEM.probability);
    return name === null ? [] : [[matching(name, CODE, "probability"), within(one.valueQuantity?.value, 0, 1, name)]];
  });
  const tone = component(found, "skin-tone")?.valueString;
  return {
    outcome: outcomeOf(found.valueCodeableConcept),
    reasons: reasonsOf(found),
    probabilities: Object.fromEntries(probabilities),
    notExcluded: components(found, "not-excluded").map((one) => coded(one.valueCodeableConcept, SYSTEM.condition, "not-excluded")),
    novelty: component(found, "novelty") ? number(found, "novelty") : null,
    ita: component(found, "skin-tone-ita") ? number(found, "skin-tone-ita") : null,
    tone: tone === "light" || tone === "dark" ? tone : null,
    mapUnstable: component(found, "map-unstable")?.valueBoolean === true,
  };
}

function agreementOf(consent: Consent): Agreement {
  const by = consent.category.map((one) => codeIn(one, SYSTEM.consent)).find((code) => code && CONSENTERS.includes(code));
  if (!by) throw new ResultFault("Consent.category: who agreed is missing");
  const shown = (consent.provision?.code ?? []).map((one) => codeIn(one, SYSTEM.consent));
  return { by: by as Consenter, intimate: shown.includes("photo-intimate") };
}

function decidingOf(screening: Observation, photos: number): number {
  const found = component(screening, "deciding-photo")?.valueInteger;
  return within(found, 1, photos, "deciding-photo") - 1;
}

const all = <Kind extends FhirResource>(found: readonly (FhirResource | undefined)[], type: Kind["resourceType"]): Kind[] =>
  found.filter((one): one is Kind => one?.resourceType === type);

const components = ({ component = [] }: Observation, code: string): ObservationComponent[] =>
  component.filter((one) => codeIn(one.code, SYSTEM.code) === code);

const component = (found: Observation, code: string): ObservationComponent | undefined => components(found, code)[0];

const number = (found: Observation, code: string): number =>
  within(component(found, code)?.valueQuantity?.value, -1e6, 1e6, code);

const reasonsOf = (found: Observation): string[] =>
  components(found, "reason").map((one) => coded(one.valueCodeableConcept, SYSTEM.reason, "reason"));

const coded = (found: CodeableConcept | undefined, system: string, where: string): string =>
  matching(codeIn(found, system), CODE, where);

function outcomeOf(found: CodeableConcept | undefined): Outcome {
  const code = codeIn(found, SYSTEM.outcome);
  if (code === null || !OUTCOMES.includes(code)) throw new ResultFault("outcome: not one of the four");
  return code as Outcome;
}

function matching(value: unknown, pattern: RegExp, where: string): string {
  if (typeof value !== "string" || !pattern.test(value)) throw new ResultFault(`${where}: missing or not as expected`);
  return value;
}

function within(value: unknown, low: number, high: number, where: string): number {
  if (typeof value !== "number" || !(value >= low && value <= high)) throw new ResultFault(`${where}: not a number from ${low} to ${high}`);
  return value;
}
