// Results that a person chose to keep: listed, added, deleted, locked and wiped. The key is in memory alone, so that a
// closed or reloaded page is locked again.

import { readResult } from "../fhir/read";
import { type Content, put, readAll, remove, replaceAll, type Row, wipe } from "./database";
import { type Lock, newLock, openLock, seal, unseal } from "./lock";
import type { Result } from "./result";

export interface Kept {
  id: string;
  /** The FHIR Bundle's JSON; null where it is damaged. */
  text: string | null;
  result: Result | null;
}

/** The kept results, newest first; "locked" without the key. */
export type Listed = { locked: true } | { locked: false; hasLock: boolean; kept: Kept[] };

/** There is a lock and no key. */
export class Locked extends Error {
  override readonly name = "Locked";
}

let key: CryptoKey | null = null;

export async function list(): Promise<Listed> {
  const { lock, rows } = await readAll();
  if (lock && !key) return { locked: true };
  const kept = await Promise.all(rows.map(opened));
  kept.sort((a, b) => Date.parse(b.result?.made ?? "") - Date.parse(a.result?.made ?? "") || 0);
  return { locked: false, hasLock: lock !== null, kept };
}

/** @throws Locked; DOMException where storage is refused or full */
export async function keep(id: string, text: string): Promise<void> {
  const { lock } = await readAll();
  if (lock && !key) throw new Locked();
  await put(await rowOf(id, text, lock && key));
}

/** Whether a result is kept, locked or not. */
export async function isKept(id: string): Promise<boolean> {
  const { rows } = await readAll();
  return rows.some((row) => row.id === id);
}

export const forget = (id: string): Promise<void> => remove(id);

/** @throws WrongPassphrase */
export async function unlock(passphrase: string): Promise<void> {
  const { lock } = await readAll();
  if (lock) key = await openLock(lock, passphrase);
}

export function lockNow(): void {
  key = null;
}

/** Encrypt everything with a new passphrase. @throws Locked */
export async function setLock(passphrase: string, iterations?: number): Promise<void> {
  const made = await newLock(passphrase, iterations);
  await change(made.lock, made.key);
}

/** Keep everything readable again. @throws Locked */
export const removeLock = (): Promise<void> => change(null, null);

/** Delete every kept result and the lock. */
export async function wipeAll(): Promise<void> {
  key = null;
  await wipe();
}

async function change(lock: Lock | null, next: CryptoKey | null): Promise<void> {
  const before: Content = await readAll();
  if (before.lock && !key) throw new Locked();
  const readable = (await Promise.all(before.rows.map(opened))).filter((row) => row.text !== null);
  const rows = await Promise.all(readable.map(({ id, text }) => rowOf(id, text!, next)));
  await replaceAll({ lock, rows });
  key = next;
}

async function rowOf(id: string, text: string, with_: CryptoKey | null): Promise<Row> {
  if (!with_) return { id, text };
  return { id, sealed: await seal(with_, new TextEncoder().encode(text)) };
}

async function opened(row: Row): Promise<Kept> {
  try {
    const text = "text" in row ? row.text : new TextDecoder().decode(await unseal(key!, row.sealed));
    return { id: row.id, text, result: readResult(text) };
  } catch {
    return { id: row.id, text: null, result: null };
  }
}
