// Which key encrypts what lies on this device: that of the passphrase where the person set one, in memory alone; else the
// device's own, which the browser keeps and no script can read. A page that is closed, left or loaded anew is locked.

import { alone } from "./alone";
import { type Content, putSecret, readAll, replaceAll } from "./database";
import { canLock, type Envelope, type Lock, newLock, openLock, opened, sealed } from "./lock";

/** There is a lock and no key. */
export class Locked extends Error {
  override readonly name = "Locked";
}

let own: { key: CryptoKey; salt: Uint8Array } | null = null;
const heard = new Set<() => void>();

/** Told when it was locked, unlocked, or locked otherwise; gives how to stop that. */
export function whenKeysChange(tell: () => void): () => void {
  heard.add(tell);
  return () => void heard.delete(tell);
}

const took = (next: typeof own): void => {
  own = next;
  heard.forEach((tell) => tell());
};

/** The key for what was read; null where nothing is encrypted. @throws Locked */
export function keyOf({ lock, device }: Pick<Content, "lock" | "device">): CryptoKey | null {
  if (!lock) return device;
  if (!own || !isOf(own.salt, lock)) throw new Locked(); // another tab may have set another passphrase
  return own.key;
}

const isOf = (salt: Uint8Array, lock: Lock): boolean => salt.every((byte, at) => byte === lock.salt[at]);

/** Text as it is to be written down; inside `alone`. @throws Locked */
export async function closed(text: string): Promise<Envelope> {
  const content = await readAll();
  return sealed(text, content.lock || content.device ? keyOf(content) : await deviceKey());
}

/** This device's own key, made and kept; null where the browser cannot encrypt, or keep a key. */
async function deviceKey(): Promise<CryptoKey | null> {
  if (!canLock()) return null;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return putSecret("device", made).then(() => made, () => null); // Firefox before 115 in private windows
}

/** @throws WrongPassphrase */
export async function unlock(passphrase: string): Promise<void> {
  const { lock } = await readAll();
  if (lock) took({ key: await openLock(lock, passphrase), salt: lock.salt });
}

export const lockNow = (): void => took(null);

/** Encrypt everything with a new passphrase. @throws Locked */
export async function setLock(passphrase: string, iterations?: number): Promise<void> {
  const { lock, key } = await newLock(passphrase, iterations);
  await alone(async () => exchange(await readAll(), key, { lock, device: null }));
  took({ key, salt: lock.salt });
}

/** Encrypt everything with the device's own key again. @throws Locked */
export async function removeLock(): Promise<void> {
  await alone(async () => {
    const before = await readAll();
    const device = await deviceKey();
    await exchange(before, device, { lock: null, device });
  });
  took(null);
}

async function exchange(before: Content, next: CryptoKey | null, keys: Pick<Content, "lock" | "device">): Promise<void> {
  const now = keyOf(before);
  const again = async (envelope: Envelope): Promise<Envelope> => {
    const text = await opened(envelope, now).catch(() => null);
    return text === null ? envelope : sealed(text, next); // damaged: it stays, and is told as such
  };
  const redone = <T extends { content: Envelope }>(all: readonly T[]): Promise<T[]> =>
    Promise.all(all.map(async (row) => ({ ...row, content: await again(row.content) })));
  await replaceAll({
    ...keys,
    token: before.token && (await again(before.token)),
    rows: await redone(before.rows),
    referrals: await redone(before.referrals),
  });
}

// The browser may keep a page that was left, and show it again to whoever presses "back".
globalThis.addEventListener?.("pagehide", lockNow);
