// Referrals on this device: those that wait for the network, with what will be sent, and the codes of those that were
// sent. Encrypted as kept results are (src/results/keys.ts).

import type { Refusal } from "../referral";
import { alone } from "../results/alone";
import * as database from "../results/database";
import { closed, keyOf } from "../results/keys";
import { opened } from "../results/lock";

/** What is sent, kept until the clinic has it and no longer. */
export interface Load {
  /** The FHIR Bundle's JSON. */
  json: string;
  /** JPEGs in base64. */
  photos: readonly string[];
  training: boolean;
  person: string;
}

/** What speaks of a person. */
interface Secret {
  /** Null once the clinic has it. */
  load: Load | null;
  /** For the reply; null until the clinic has it. */
  code: string | null;
}

export interface Row extends Secret {
  /** The result's number: the key under which the server files it once. */
  id: string;
  /** When it was handed over; ms since 1970. */
  at: number;
  tries: number;
  /** Not before; ms since 1970. */
  next: number;
  /** Why trying again does not help, until a person does something. */
  stopped: Exclude<Refusal, "offline" | "busy"> | null;
  detail: string;
  waiting: boolean;
  /** Without the passphrase there is neither load nor code. */
  locked: boolean;
}

/** Oldest first; none where there is no database. @throws DOMException where storage is refused */
export async function readAll(): Promise<Row[]> {
  const content = await database.readAll();
  const key = keyOrNot(content);
  const rows = await Promise.all(content.referrals.map((row) => read(row, key)));
  return rows.sort((a, b) => a.at - b.at);
}

/** Resolves when it is on the disk. @throws Locked; DOMException */
export const put = (id: string, load: Load): Promise<void> =>
  alone(async () => {
    const content = await closed(JSON.stringify({ load, code: null } satisfies Secret));
    await database.put("referrals", { id, at: Date.now(), tries: 0, next: 0, stopped: null, detail: "", waiting: true, content });
  });

/** Change a row that is still there; one that was removed meanwhile does not come back. */
export const change = (id: string, with_: Partial<Pick<Row, "tries" | "next" | "stopped" | "detail">>): Promise<void> =>
  alone(async () => {
    const row = await found(id);
    if (row) await database.put("referrals", { ...row, ...with_ });
  });

/** The clinic has it: what was sent goes, the code stays. */
export const filed = (id: string, code: string, tries: number): Promise<void> =>
  alone(async () => {
    const row = await found(id);
    if (!row) return;
    const content = await closed(JSON.stringify({ load: null, code } satisfies Secret));
    await database.put("referrals", { ...row, tries, waiting: false, stopped: null, detail: "", content });
  });

export const remove = (id: string): Promise<void> => alone(() => database.remove("referrals", id));

/** The clinic's token; "" where there is none, null without the passphrase. */
export async function deviceToken(): Promise<string | null> {
  const content = await database.readAll();
  if (!content.token) return "";
  const key = keyOrNot(content);
  return key === undefined ? null : opened(content.token, key).catch(() => "");
}

/** @throws Locked; DOMException where storage is refused */
export const rememberToken = (token: string): Promise<void> =>
  alone(async () => database.putSecret("token", await closed(token)));

const found = async (id: string): Promise<database.Referred | undefined> =>
  (await database.readAll()).referrals.find((row) => row.id === id);

/** Undefined without the passphrase. */
function keyOrNot(content: database.Content): CryptoKey | null | undefined {
  try {
    return keyOf(content);
  } catch {
    return undefined;
  }
}

async function read({ content, ...row }: database.Referred, key: CryptoKey | null | undefined): Promise<Row> {
  if (key === undefined) return { ...row, load: null, code: null, locked: true };
  try {
    return { ...row, ...(JSON.parse(await opened(content, key)) as Secret), locked: false };
  } catch {
    return { ...row, load: null, code: null, stopped: row.waiting ? "refused" : null, detail: "damaged on this device", locked: false };
  }
}
