// The IndexedDB database of kept results, as promises. It is made when the first result is kept, not before.

import type { Lock, Sealed } from "./lock";

const NAME = "poxlens-results";

/** A kept result: the FHIR Bundle's JSON, or the same encrypted. The id is random and says nothing. */
export type Row = { id: string; text: string } | { id: string; sealed: Sealed };

export interface Content {
  lock: Lock | null;
  rows: Row[];
}

/** Everything that is kept; nothing where there is no database. @throws DOMException where storage is refused */
export async function readAll(): Promise<Content> {
  if (!(await exists())) return { lock: null, rows: [] };
  return inside("readonly", async (rows, locks) => {
    const [found, lock] = await Promise.all([asked(rows.getAll() as IDBRequest<Row[]>), asked(locks.get("lock") as IDBRequest<Lock | undefined>)]);
    return { lock: lock ?? null, rows: found };
  });
}

export const put = (row: Row): Promise<void> => inside("readwrite", async (rows) => void (await asked(rows.put(row))));

export const remove = (id: string): Promise<void> => inside("readwrite", async (rows) => void (await asked(rows.delete(id))));

/** Exchange everything, or on a fault nothing: one transaction. */
export const replaceAll = ({ lock, rows: all }: Content): Promise<void> =>
  inside("readwrite", async (rows, locks) => {
    const done = [asked(rows.clear()), asked(locks.clear()), ...all.map((row) => asked(rows.put(row)))];
    if (lock) done.push(asked(locks.put(lock, "lock")));
    await Promise.all(done);
  });

/** Remove the database itself, lock included. */
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

type Work<T> = (rows: IDBObjectStore, locks: IDBObjectStore) => Promise<T>;

async function inside<T>(mode: IDBTransactionMode, work: Work<T>): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(["rows", "locks"], mode);
    const ended = new Promise<void>((done, fail) => {
      transaction.oncomplete = () => done();
      transaction.onabort = transaction.onerror = () => fail(transaction.error ?? new Error("IndexedDB"));
    });
    const [found] = await Promise.all([work(transaction.objectStore("rows"), transaction.objectStore("locks")), ended]);
    return found;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("rows", { keyPath: "id" });
      request.result.createObjectStore("locks");
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
