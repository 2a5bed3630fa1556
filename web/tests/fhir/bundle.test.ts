import Validator from "@asymmetrik/fhir-json-schema-validator";
import { describe, expect, test } from "vitest";
import { toBundle } from "../../src/fhir/bundle";
import { readResult, ResultFault } from "../../src/fhir/read";
import questionnaire from "../../src/questions/questionnaire.json";
import { FULL, PLAIN, REFUSED } from "../results/made";

// The JSON schema that HL7 publishes with FHIR R4 (4.0).
const validator = new Validator();
const faults = (resource: object): unknown[] => validator.validate(resource) ?? [];
const MADE = Object.entries({ FULL, PLAIN, REFUSED });

describe.each(MADE)("%s", (_, result) => {
  const bundle = toBundle(result);

  test("is FHIR R4", () => {
    expect(faults(bundle)).toEqual([]);
    for (const { resource } of bundle.entry!) expect(faults(resource!)).toEqual([]);
  });

  test("comes back as it was", () => {
    expect(readResult(JSON.stringify(bundle))).toEqual(result);
  });

  test("every reference leads to an entry, and each entry has an address of its own", () => {
    const addresses = bundle.entry!.map((entry) => entry.fullUrl!);
    expect(new Set(addresses).size).toBe(addresses.length);
    const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map(([, to]) => to!);
    expect(references.length).toBeGreaterThan(8);
    expect(references.filter((to) => !addresses.includes(to))).toEqual([]);
  });

  test("holds no photo, and nothing empty", () => {
    const text = JSON.stringify(bundle);
    expect(text).not.toMatch(/data:|Attachment|Binary|Media|\[\]|\{\}|null|""/);
  });
});

test("what is asked of the clinic follows from the outcome", () => {
  const requested = (outcome: (typeof FULL)["outcome"]): (string | undefined)[] =>
    toBundle({ ...FULL, outcome }).entry!.flatMap(({ resource }) =>
      resource?.resourceType === "ServiceRequest" ? [resource.code?.coding?.[0]?.code, resource.priority] : [],
    );
  expect(requested("refer")).toEqual(["100383-9", "urgent"]);
  expect(requested("uncertain")).toEqual(["examination", "routine"]);
  expect(requested("cannot_assess")).toEqual(["examination", "routine"]);
  expect(requested("not_suspected")).toEqual([]);
});

test("the schema finds what is wrong", () => {
  const bundle = toBundle(FULL);
  expect(faults({ ...bundle, typ: "collection" })).not.toEqual([]);
  expect(faults({ ...bundle, type: "colection" })).not.toEqual([]);
});

test("the questionnaire is FHIR R4", () => {
  expect(faults(questionnaire)).toEqual([]);
});

describe("what is no result is told", () => {
  const text = JSON.stringify(toBundle(FULL));
  test.each([
    ["no JSON", "{"],
    ["nothing", "null"],
    ["another resource", '{"resourceType":"Patient"}'],
    ["another profile", text.replace("result:1", "result:9")],
    ["another outcome", text.replaceAll('"code":"refer"', '"code":"all clear"')],
    ["a share above one", text.replace(/"value":0\.9\d*/, '"value":1.9')],
    ["no photo that decides", text.replace('"valueInteger":1', '"valueInteger":7')],
    ["a list where FHIR has none", text.replace('"category":[', '"category":{"a":[').replace('}],"patient"', '}]},"patient"')],
    ["a flood", " ".repeat(200_001)],
  ])("%s", (_, damaged) => {
    expect(damaged).not.toBe(text);
    expect(() => readResult(damaged)).toThrow(ResultFault);
  });
});
