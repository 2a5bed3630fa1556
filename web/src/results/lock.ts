// A passphrase that locks what is kept: PBKDF2-HMAC-SHA-256 makes a key of it, which wraps the random AES-GCM key that
// encrypts it. So a wrong passphrase is noticed, and nothing but the passphrase opens it.

/** OWASP's figure for PBKDF2-HMAC-SHA-256 (Password Storage Cheat Sheet, 2023). */
export const ITERATIONS = 600_000;
export const MIN_LENGTH = 8; // characters

/** What lies on the device beside the encrypted results; useless without the passphrase. */
export interface Lock {
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  wrapped: Sealed;
}

/** AES-GCM: 12 bytes of nonce and what was encrypted, with its tag. */
export interface Sealed {
  nonce: Uint8Array<ArrayBuffer>;
  data: Uint8Array<ArrayBuffer>;
}

/** A text encrypted, or as it is where the browser cannot encrypt. */
export type Envelope = { sealed: Sealed } | { text: string };

/** The passphrase does not open this lock. */
export class WrongPassphrase extends Error {}

/** Browsers encrypt on https: and on this computer only. */
export const canLock = (): boolean => globalThis.crypto?.subtle !== undefined;

export async function newLock(passphrase: string, iterations = ITERATIONS): Promise<{ lock: Lock; key: CryptoKey }> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const wrapped = await seal(await derived(passphrase, salt, iterations), raw);
  return { lock: { salt, iterations, wrapped }, key: await keyOf(raw) };
}

/** @throws WrongPassphrase */
export async function openLock({ salt, iterations, wrapped }: Lock, passphrase: string): Promise<CryptoKey> {
  let raw: Uint8Array<ArrayBuffer>;
  try {
    raw = await unseal(await derived(passphrase, salt, iterations), wrapped);
  } catch {
    throw new WrongPassphrase(); // the tag does not fit
  }
  return keyOf(raw);
}

export async function seal(key: CryptoKey, data: Uint8Array<ArrayBuffer>): Promise<Sealed> {
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  return { nonce, data: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, data)) };
}

/** @throws DOMException where the key is another, or the data were changed */
export async function unseal(key: CryptoKey, { nonce, data }: Sealed): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, key, data));
}

export const sealed = async (text: string, key: CryptoKey | null): Promise<Envelope> =>
  key ? { sealed: await seal(key, new TextEncoder().encode(text)) } : { text };

/** @throws Error where it was encrypted with another key, or changed */
export async function opened(envelope: Envelope, key: CryptoKey | null): Promise<string> {
  if ("text" in envelope) return envelope.text;
  if (!key) throw new Error("encrypted, and there is no key");
  return new TextDecoder().decode(await unseal(key, envelope.sealed));
}

/** The same letters typed on another keyboard may come composed differently: NFKC makes them equal. */
async function derived(passphrase: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const typed = new TextEncoder().encode(passphrase.normalize("NFKC"));
  const base = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveKey"]);
  const rule = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return crypto.subtle.deriveKey(rule, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** Not to be read again by any script. */
const keyOf = (raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]).finally(() => raw.fill(0));
