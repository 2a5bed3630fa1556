// The IndexedDB database of what a person chose to keep or handed to a clinic, as promises. It is made with the first of
// it, not before. All of it in one database, so that one transaction locks it anew and one request removes it.

import type { Envelope, Lock } from "./lock";

const NAME = "poxlens-results";
const STORES = ["rows", "locks", "referrals"] as const;

/** A kept result: the FHIR Bundle's JSON. The id is random and says nothing. */
export type Row = { id: string; content: Envelope };

/** What was handed to a clinic; all that speaks of a person is in the content (src/referral/store.ts). */
export interface Referred {
  id: string;
  at: number;
  tries: number;
  next: number;
  stopped: "token" | "refused" | null;
  detail: string;
  /** Whether it still has to be sent. */
  waiting: boolean;
  content: Envelope;
}

export interface Content {
  /** Of the passphrase, if there is one. */
  lock: Lock | null;
  /** This device's own key, which encrypts where there is no passphrase. */
  device: CryptoKey | null;
  /** The clinic's token. */
  token: Envelope | null;
  rows: Row[];
  referrals: Referred[];
}

const NOTHING: Content = { lock: null, device: null, token: null, rows: [], referrals: [] };

/** Everything that is kept; nothing where there is no database. @throws DOMException where storage is refused */
export async function readAll(): Promise<Content> {
  if (!(await exists())) return NOTHING;
  return inside("readonly", async ({ rows, locks, referrals }) => {
    const [lock, device, token] = ["lock", "device", "token"].map((name) => asked(locks.get(name) as IDBRequest<unknown>));
    return {
      lock: ((await lock) as Lock | undefined) ?? null,
      device: ((await device) as CryptoKey | undefined) ?? null,
      token: ((await token) as Envelope | undefined) ?? null,
      rows: await asked(rows.getAll() as IDBRequest<Row[]>),
      referrals: await asked(referrals.getAll() as IDBRequest<Referred[]>),
    };
  });
}

/** Resolves when it is on the disk. */
export const put = <S extends "rows" | "referrals">(store: S, row: S extends "rows" ? Row : Referred): Promise<void> =>
  inside("readwrite", async (all) => void (await asked(all[store].put(row))));

export const remove = (store: "rows" | "referrals", id: string): Promise<void> =>
  inside("readwrite", async (all) => void (await asked(all[store].delete(id))));

/** Keep the device's key or the clinic's token. */
export const putSecret = (name: "device" | "token", secret: CryptoKey | Envelope): Promise<void> =>
  inside("readwrite", async ({ locks }) => void (await asked(locks.put(secret, name))));

/** Exchange everything, or on a fault nothing: one transaction. */
export const replaceAll = ({ lock, device, token, rows: kept, referrals: sent }: Content): Promise<void> =>
  inside("readwrite", async ({ rows, locks, referrals }) => {
    const done: Promise<unknown>[] = [rows, locks, referrals].map((store) => asked(store.clear()));
    done.push(...kept.map((row) => asked(rows.put(row))), ...sent.map((row) => asked(referrals.put(row))));
    for (const [name, value] of Object.entries({ lock, device, token })) if (value) done.push(asked(locks.put(value, name)));
    await Promise.all(done);
  });

/** Remove the database itself, keys included. */
export function wipe(): Promise<void> {
  return new Promise((done, fail) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => done();
    request.onerror = () => fail(request.error ?? new Error("IndexedDB"));
    // Another tab has it open; that tab closes it on "versionchange" and this goes on.
  });
}

/** Firefox before 126 and old Safari do not list databases; opening then makes an empty one. */
async function exists(): Promise<boolean> {
  const listed = await indexedDB.databases?.();
  return listed === undefined || listed.some(({ name }) => name === NAME);
}

type Stores = Record<(typeof STORES)[number], IDBObjectStore>;

async function inside<T>(mode: IDBTransactionMode, work: (stores: Stores) => Promise<T>): Promise<T> {
  const database = await open();
  try {
    // Strict: a referral that was promised to be sent must survive a battery that is taken out.
    const transaction = database.transaction(STORES, mode, { durability: "strict" });
    const ended = new Promise<void>((done, fail) => {
      transaction.oncomplete = () => done();
      transaction.onabort = transaction.onerror = () => fail(transaction.error ?? new Error("IndexedDB"));
    });
    const stores = Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)])) as Stores;
    const [found] = await Promise.all([work(stores), ended]);
    return found;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 2);
    request.onupgradeneeded = () => {
      // 1 was of a page before the first release.
      for (const name of [...request.result.objectStoreNames]) request.result.deleteObjectStore(name);
      request.result.createObjectStore("rows", { keyPath: "id" });
      request.result.createObjectStore("locks");
      request.result.createObjectStore("referrals", { keyPath: "id" });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = () => fail(request.error ?? new Error("IndexedDB"));
  });
}

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error("IndexedDB"));
  });
