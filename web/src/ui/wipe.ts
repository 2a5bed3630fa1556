// One tap: everything that was kept or handed to a clinic.

import { wipeAll } from "../results/kept";

/** Kept results, the passphrase, and what was handed to a clinic, also what is on its way this moment. @throws DOMException */
export async function wipeEverything(): Promise<void> {
  const sender = await import("../referral/sender").catch(() => null); // no network, and not kept: then nothing is sent either
  sender?.halt();
  await wipeAll();
  sender?.told();
}
