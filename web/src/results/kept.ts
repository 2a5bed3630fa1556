// Results that a person chose to keep: listed, added, deleted, and wiped.

import { readResult } from "../fhir/read";
import { alone } from "./alone";
import { put, readAll, remove, type Row, wipe } from "./database";
import { closed, keyOf, lockNow } from "./keys";
import { opened } from "./lock";
import type { Result } from "./result";

export interface Kept {
  id: string;
  /** The FHIR Bundle's JSON; null where it is damaged. */
  text: string | null;
  result: Result | null;
}

/** The kept results, newest first, and whether anything lies here that a lock would encrypt; "locked" without the key. */
export type Listed = { locked: true } | { locked: false; hasLock: boolean; some: boolean; kept: Kept[] };

export async function list(): Promise<Listed> {
  const content = await readAll();
  const { lock, rows, referrals, token } = content;
  let key: CryptoKey | null;
  try {
    key = keyOf(content);
  } catch {
    return { locked: true };
  }
  const kept = await Promise.all(rows.map((row) => read(row, key)));
  kept.sort((a, b) => Date.parse(b.result?.made ?? "") - Date.parse(a.result?.made ?? "") || 0);
  return { locked: false, hasLock: lock !== null, some: rows.length + referrals.length > 0 || token !== null, kept };
}

/** @throws Locked; DOMException where storage is refused or full */
export const keep = (id: string, text: string): Promise<void> =>
  alone(async () => put("rows", { id, content: await closed(text) }));

/** Whether a result is kept, locked or not. */
export async function isKept(id: string): Promise<boolean> {
  const { rows } = await readAll();
  return rows.some((row) => row.id === id);
}

export const forget = (id: string): Promise<void> => alone(() => remove("rows", id));

/** Delete every kept result, what was handed to a clinic, and all keys. */
export async function wipeAll(): Promise<void> {
  await alone(wipe);
  lockNow();
}

async function read({ id, content }: Row, key: CryptoKey | null): Promise<Kept> {
  try {
    const text = await opened(content, key);
    return { id, text, result: readResult(text) };
  } catch {
    return { id, text: null, result: null };
  }
}

