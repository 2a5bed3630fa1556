// A result as the texts of one or several QR codes, and back.
//
// Each text: POX1/<CRC-32 of the JSON>/<number>/<count>/<share of the data in Base45>/. The data are the Bundle's JSON,
// deflated with a dictionary that both sides hold (dictionary.1.txt): most of a Bundle is the same in all of them. The last
// stroke is there because scanners cut spaces, which Base45 uses, from the end.

import { deflateSync, inflateSync } from "fflate";
import { fromBase45, toBase45 } from "./base45";
import { crc32 } from "./crc32";
import dictionary from "./dictionary.1.txt?raw";

/** Version 15 (77 x 77 modules) with error correction M: 600 alphanumeric characters (ISO/IEC 18004, table 7). */
export const QR = { version: 15, correction: "medium", characters: 600 } as const;
const FRAME = "POX1/ABCDEF01/12/34//".length;
const SHARE = QR.characters - FRAME;
const MAX_PARTS = 99;
const MAX_BYTES = 200_000; // of JSON, as fhir/read.ts takes
const FORM = /^POX(\d+)\/([0-9A-F]{8})\/([1-9]\d?)\/([1-9]\d?)\/([0-9A-Z $%*+\-./:]*)\/$/;

const WORDS = new TextEncoder().encode(dictionary);

export function toParts(json: string): string[] {
  const bytes = new TextEncoder().encode(json);
  const data = toBase45(deflateSync(bytes, { level: 9, mem: 9, dictionary: WORDS }));
  const count = Math.max(1, Math.ceil(data.length / SHARE));
  if (bytes.length > MAX_BYTES || count > MAX_PARTS) throw new Error("too long for codes");
  const each = Math.ceil(data.length / count); // equal shares make equal codes
  return Array.from({ length: count }, (_, i) => `POX1/${crc32(bytes)}/${i + 1}/${count}/${data.slice(i * each, (i + 1) * each)}/`);
}

export interface Part {
  /** The same for all parts of one result. */
  sum: string;
  number: number;
  count: number;
  data: string;
}

/** One code's text; "foreign" is not one of ours, "newer" is of a form that this page does not know. */
export function readPart(text: string): Part | "foreign" | "newer" {
  const found = FORM.exec(text.trim());
  if (!found) return "foreign";
  const [, form, sum, number, count, data] = found as unknown as string[];
  if (form !== "1") return "newer";
  const part: Part = { sum: sum!, number: Number(number), count: Number(count), data: data! };
  return part.number <= part.count ? part : "foreign";
}

/** The JSON of a complete set, or null where it does not fit together. */
export function joined(parts: readonly Part[]): string | null {
  const [first] = parts;
  if (!first || parts.length !== first.count || parts.some((part, i) => part.number !== i + 1 || part.sum !== first.sum)) return null;
  const data = fromBase45(parts.map((part) => part.data).join(""));
  const bytes = data && inflated(data);
  return bytes && crc32(bytes) === first.sum ? new TextDecoder().decode(bytes) : null;
}

function inflated(data: Uint8Array): Uint8Array | null {
  try {
    const bytes = inflateSync(data, { dictionary: WORDS });
    return bytes.length <= MAX_BYTES ? bytes : null;
  } catch {
    return null; // damaged
  }
}
