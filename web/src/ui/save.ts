// A result as a file: the FHIR Bundle, indented, under a name that says what and when but not who.

import type { Result } from "../results/result";

export function saveResult(json: string, { made, id }: Pick<Result, "made" | "id">): void {
  const text = `${JSON.stringify(JSON.parse(json), null, 2)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/fhir+json" }));
  link.download = `poxlens-${made.slice(0, 10)}-${id.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // Safari reads it after the click
}
