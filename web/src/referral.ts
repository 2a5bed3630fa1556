// A referral to the clinic's server that a deployment was set up with (docs/clinic-api.md). Nothing is sent unasked.

import type { Box, Pixels } from "./photo/pixels";

/** Short side of a photo that is sent, px: what the clinic keeps. */
export const SHORT = 1024;
const PATIENCE = 10 * 60_000; // ms; a network that takes everything and gives nothing must not hold up the next try

export interface Referral {
  /** The FHIR Bundle's JSON. */
  json: string;
  id: string;
  /** JPEGs in base64, in the result's order, or none. */
  photos: readonly string[];
  /** Whether reviewed photos may teach a later model. */
  training: boolean;
  /** The clinic's own name for the person, or "". */
  person: string;
}

/** Why it was not filed: a message key under "send.". */
export type Refusal = "offline" | "token" | "busy" | "refused";

export class NotFiled extends Error {
  constructor(
    readonly why: Refusal,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * File a referral; sent again after a fault it is filed once, as its key is the result's number.
 *
 * @param origin the clinic's server
 * @param stop ends it at once, as a fault of the network
 * @returns the code with which the person can ask for the reply
 * @throws NotFiled
 */
export async function refer(origin: string, token: string, referral: Referral, stop?: AbortSignal): Promise<string> {
  const { json, id, photos, training, person } = referral;
  const body = {
    result: JSON.parse(json) as unknown,
    consent: { photo: photos.length > 0, training: training && photos.length > 0 },
    photos,
    person: person.trim() || null,
  };
  const given = new AbortController(); // AbortSignal.any came with Chrome 116: too late for cheap phones
  const patience = setTimeout(() => given.abort(), PATIENCE);
  stop?.addEventListener("abort", () => given.abort());
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}`, "idempotency-key": id };
  const answer = await fetch(`${origin}/v1/referrals`, {
    method: "POST",
    credentials: "omit",
    headers,
    body: JSON.stringify(body),
    signal: given.signal,
  })
    .catch((fault: unknown) => {
      throw new NotFiled("offline", String(fault));
    })
    .finally(() => clearTimeout(patience));
  const told = (await answer.json().catch(() => null)) as { code?: unknown; error?: { message?: unknown } } | null;
  if (answer.ok && typeof told?.code === "string") return told.code;
  const detail = String(told?.error?.message ?? answer.status);
  throw new NotFiled(refusalOf(answer.status), detail);
}

function refusalOf(status: number): Refusal {
  if (status === 401 || status === 403) return "token";
  return status === 429 || status >= 500 || status < 300 ? "busy" : "refused";
}

/** A part of a photo as a JPEG without metadata, as large as the clinic keeps it: a poor network carries it too. */
export async function photoToSend(image: Pixels, box: Box): Promise<Blob> {
  const scale = Math.min(1, SHORT / Math.min(box.width, box.height));
  const whole = document.createElement("canvas");
  Object.assign(whole, { width: box.width, height: box.height });
  const pixels = new ImageData(image.data as Uint8ClampedArray<ArrayBuffer>, image.width, image.height);
  whole.getContext("2d")!.putImageData(pixels, -box.left, -box.top);
  const small = document.createElement("canvas");
  Object.assign(small, { width: Math.round(box.width * scale), height: Math.round(box.height * scale) });
  small.getContext("2d")!.drawImage(whole, 0, 0, small.width, small.height);
  const found = await new Promise<Blob | null>((done) => small.toBlob(done, "image/jpeg", 0.92));
  for (const canvas of [whole, small]) Object.assign(canvas, { width: 0, height: 0 }); // iOS gives them back late
  if (!found) throw new NotFiled("refused", "the photo could not be coded");
  return found;
}

export async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let letters = "";
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(letters);
}
