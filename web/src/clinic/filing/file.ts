// A referral that a clinician files at the clinic itself: from the camera page, or from a phone's codes.

import { ask } from "../api/client";
import type { ReferralOut } from "../api/types";

export interface Wish {
  /** The FHIR Bundle's JSON. */
  json: string;
  /** The result's number: the same for every try, so that it is filed once. */
  id: string;
  /** JPEGs in the result's order, or none. */
  photos: readonly Blob[];
  training: boolean;
  /** How the clinic knows the person, or "". */
  person: string;
}

/** @throws Fault */
export async function file({ json, id, photos, training, person }: Wish): Promise<ReferralOut> {
  const body = {
    result: JSON.parse(json) as unknown,
    consent: { photo: photos.length > 0, training: training && photos.length > 0 },
    photos: await Promise.all(photos.map(base64)),
    person: person.trim() || null,
  };
  return ask<ReferralOut>("POST", "/referrals", body, { headers: { "idempotency-key": id } });
}

async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let letters = "";
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(letters);
}
