// Referrals on this device, in IndexedDB: those that wait for the network, with what will be sent, and the codes of those
// that were sent. The database is made when the first one is handed over, not before.

import type { Refusal } from "../referral";

const NAME = "poxlens-referrals";

/** What is sent, kept until the clinic has it and no longer. */
export interface Load {
  /** The FHIR Bundle's JSON. */
  json: string;
  photos: readonly Blob[];
  training: boolean;
  person: string;
}

export interface Row {
  /** The result's number: the key under which the server files it once. */
  id: string;
  /** When it was handed over; ms since 1970. */
  at: number;
  /** Null once the clinic has it. */
  load: Load | null;
  tries: number;
  /** Not before; ms since 1970. */
  next: number;
  /** Why trying again does not help, until a person does something. */
  stopped: Exclude<Refusal, "offline" | "busy"> | null;
  detail: string;
  /** For the reply; null until the clinic has it. */
  code: string | null;
}

/** Oldest first; none where there is no database. @throws DOMException where storage is refused */
export async function readAll(): Promise<Row[]> {
  const listed = await indexedDB.databases?.();
  if (listed !== undefined && !listed.some(({ name }) => name === NAME)) return [];
  const rows = await inside("readonly", (store) => store.getAll() as IDBRequest<Row[]>);
  return rows.sort((a, b) => a.at - b.at);
}

/** Resolves when it is on the disk. */
export const put = async (row: Row): Promise<void> => void (await inside("readwrite", (store) => store.put(row)));

/** Change a row that is still there; one that was removed meanwhile does not come back. */
export async function change(id: string, with_: Partial<Row>): Promise<void> {
  const found = await inside("readonly", (store) => store.get(id) as IDBRequest<Row | undefined>);
  if (found) await put({ ...found, ...with_ });
}

export const remove = async (id: string): Promise<void> => void (await inside("readwrite", (store) => store.delete(id)));

/** Remove the database itself. */
export function wipe(): Promise<void> {
  return new Promise((done, fail) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => done();
    request.onerror = () => fail(request.error ?? new Error("IndexedDB"));
  });
}

async function inside<T>(mode: IDBTransactionMode, ask: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    // Strict: a referral that was promised to be sent must survive a battery that is taken out.
    const transaction = database.transaction("rows", mode, { durability: "strict" });
    return await new Promise<T>((done, fail) => {
      const request = ask(transaction.objectStore("rows"));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => fail(transaction.error ?? new Error("IndexedDB"));
    });
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore("rows", { keyPath: "id" });
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      done(request.result);
    };
    request.onerror = () => fail(request.error ?? new Error("IndexedDB"));
  });
}
