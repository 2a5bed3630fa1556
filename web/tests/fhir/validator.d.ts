// The package ships no types; this is the part that the tests use.

declare module "@asymmetrik/fhir-json-schema-validator" {
  export default class JSONSchemaValidator {
    validate(resource: object, verbose?: boolean): unknown[] | null;
  }
}
