// Sends what was handed over: at once where there is a network, else when it is back, again and again until the clinic
// has it. The server files the same result once, however often it arrives, so an answer that got lost doubles nothing.

import { deviceToken, NotFiled, refer } from "../referral";
import { pause } from "./pause";
import { change, type Load, put, readAll, type Row } from "./store";

const heard = new Set<() => void>();
let origin: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Told after each change of what lies on this device; gives how to stop that. */
export function listen(tell: () => void): () => void {
  heard.add(tell);
  return () => void heard.delete(tell);
}

export const told = (): void => heard.forEach((tell) => tell());

/** Go on with what an earlier visit left, and whenever a network comes back. */
export function begin(clinic: string): void {
  if (origin === null) {
    addEventListener("online", () => void hurry());
    document.addEventListener("visibilitychange", () => void (document.visibilityState === "visible" && work()));
  }
  origin = clinic;
  void work();
}

/** Hand a result over. Resolves when it is on this device's disk; sending goes on by itself. @throws DOMException */
export async function hand(clinic: string, id: string, load: Load): Promise<void> {
  await put({ id, at: Date.now(), load, tries: 0, next: 0, stopped: null, detail: "", code: null });
  told();
  begin(clinic);
}

/** Try now, whatever the waiting time. */
export async function hurry(): Promise<void> {
  for (const row of await readAll().catch(() => [])) if (row.load && row.stopped !== "refused") await change(row.id, { next: 0, stopped: null });
  await work();
}

/** One tab at a time: two would send the same photos twice over a poor network. */
async function work(): Promise<void> {
  if (!navigator.locks) return round();
  await navigator.locks.request("poxlens-send", { ifAvailable: true }, async (lock) => (lock ? round() : undefined));
}

async function round(): Promise<void> {
  const rows = await readAll().catch(() => []);
  for (const row of rows) {
    if (!row.load || row.stopped || row.next > Date.now()) continue;
    await change(row.id, await tried(row, row.load));
    told();
  }
  await plan();
}

async function tried(row: Row, load: Load): Promise<Partial<Row>> {
  const tries = row.tries + 1;
  try {
    const code = await refer(origin!, deviceToken(), { ...load, id: row.id });
    return { load: null, code, tries };
  } catch (fault) {
    const { why, message } = fault instanceof NotFiled ? fault : { why: "refused" as const, message: String(fault) };
    if (why === "offline" || why === "busy") return { tries, next: Date.now() + pause(tries), detail: why };
    return { tries, stopped: why, detail: message };
  }
}

async function plan(): Promise<void> {
  clearTimeout(timer);
  const waiting = (await readAll().catch(() => [])).filter((row) => row.load && !row.stopped);
  if (!waiting.length) return;
  const next = Math.min(...waiting.map((row) => row.next));
  timer = setTimeout(() => void work(), Math.max(250, next - Date.now()));
}
