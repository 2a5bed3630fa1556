// The codes of one result as they are read, in any order and again and again.

import { joined, type Part, readPart } from "./parts";

export interface Collected {
  parts: readonly Part[];
  /** The Bundle's JSON once all are there. */
  json: string | null;
  /** Message key under "reader." of what the last code was; null for one that helped or was there already. */
  told: "foreign" | "newer" | "damaged" | "switched" | null;
}

export const NOTHING: Collected = { parts: [], json: null, told: null };

export function collect(before: Collected, text: string): Collected {
  const part = readPart(text);
  if (typeof part === "string") return { ...before, told: part };
  const same = before.parts.filter((one) => one.sum === part.sum && one.count === part.count);
  const parts = [...same.filter((one) => one.number !== part.number), part].sort((a, b) => a.number - b.number);
  const told = before.parts.length && !same.length ? "switched" : null;
  if (parts.length < part.count) return { parts, json: null, told };
  const json = joined(parts);
  return json === null ? { ...NOTHING, told: "damaged" } : { parts, json, told };
}

/** Numbers of the codes that are still needed. */
export function needed({ parts }: Collected): number[] {
  const have = parts.map((part) => part.number);
  return Array.from({ length: parts[0]?.count ?? 0 }, (_, i) => i + 1).filter((number) => !have.includes(number));
}
