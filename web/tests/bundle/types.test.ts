import { readFileSync } from "node:fs";
import { compileFromFile } from "json-schema-to-typescript";
import { expect, test } from "vitest";

test("the types are those of the published schema (npm run types)", async () => {
  const made = await compileFromFile("../docs/bundle.schema.json", { additionalProperties: false });
  expect(readFileSync("src/bundle/manifest.gen.ts", "utf-8")).toBe(made);
});
