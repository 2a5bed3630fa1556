// Sends what was handed over: at once where there is a network, else when it is back, again and again until the clinic
// has it. The server files the same result once, however often it arrives, so an answer that got lost doubles nothing.

import { NotFiled, refer } from "../referral";
import { whenKeysChange } from "../results/keys";
import { pause } from "./pause";
import { change, deviceToken, filed, type Load, put, readAll, type Row } from "./store";

const heard = new Set<() => void>();
const otherTabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("poxlens-sent");
let origin: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let sending = new AbortController();

/** Told after each change of what lies on this device, in this tab or another; gives how to stop that. */
export function listen(tell: () => void): () => void {
  heard.add(tell);
  return () => void heard.delete(tell);
}

const tellHere = (): void => heard.forEach((tell) => tell());
if (otherTabs) otherTabs.onmessage = tellHere;

export function told(): void {
  tellHere();
  otherTabs?.postMessage(null);
}

/** Go on with what an earlier visit left, whenever a network comes back, and when it is unlocked. */
export function begin(clinic: string): void {
  if (origin === null) {
    addEventListener("online", () => void hurry());
    document.addEventListener("visibilitychange", () => void (document.visibilityState === "visible" && work()));
    whenKeysChange(() => {
      tellHere();
      void work();
    });
  }
  origin = clinic;
  void work();
}

/** Hand a result over. Resolves when it is on this device's disk; sending goes on by itself. @throws Locked; DOMException */
export async function hand(clinic: string, id: string, load: Load): Promise<void> {
  await put(id, load);
  told();
  begin(clinic);
}

/** Try now, whatever the waiting time, and after a token was refused; resolves when it was tried. */
export const hurry = (): Promise<void> => work(true);

/** Stop at once: what was being sent may not leave the device any more. */
export function halt(): void {
  clearTimeout(timer);
  sending.abort();
  sending = new AbortController();
}

/** The rounds that were asked for and have not begun: one is enough for everyone, the impatient one for all. */
let due: { atOnce: boolean; done: Promise<void> } | null = null;

/** One round at a time, in one tab at a time: two would send the same photos twice over a poor network. */
function work(atOnce = false): Promise<void> {
  if (due) {
    due.atOnce ||= atOnce;
    return due.done;
  }
  const mine = { atOnce, done: Promise.resolve() };
  const begun = async (): Promise<void> => {
    due = null; // whoever asks from now on may have seen a change that this round does not see
    await round(mine.atOnce);
  };
  due = mine;
  mine.done = (navigator.locks ? navigator.locks.request("poxlens-send", begun) : inTurn(begun)).catch(() => undefined);
  return mine.done;
}

let last: Promise<void> = Promise.resolve();
const inTurn = (begun: () => Promise<void>): Promise<void> => (last = last.then(begun, begun));

async function round(atOnce: boolean): Promise<void> {
  for (const row of await readAll()) {
    if (!row.load || row.stopped === "refused" || (!atOnce && (row.stopped || row.next > Date.now()))) continue;
    await tried(row, row.load);
    told();
  }
  await plan();
}

async function tried(row: Row, load: Load): Promise<void> {
  const tries = row.tries + 1;
  try {
    await filed(row.id, await refer(origin!, (await deviceToken()) ?? "", { ...load, id: row.id }, sending.signal), tries);
  } catch (fault) {
    if ((fault as Error).name === "Locked") return; // locked meanwhile: sent again when it is open, and filed once
    const { why, message } = fault instanceof NotFiled ? fault : { why: "refused" as const, message: String(fault) };
    const later = why === "offline" || why === "busy";
    await change(row.id, later ? { tries, next: Date.now() + pause(tries), stopped: null, detail: why } : { tries, stopped: why, detail: message });
  }
}

async function plan(): Promise<void> {
  clearTimeout(timer);
  const waiting = (await readAll()).filter((row) => row.load && !row.stopped);
  if (!waiting.length) return;
  const next = Math.min(...waiting.map((row) => row.next));
  timer = setTimeout(() => void work(), Math.max(250, next - Date.now()));
}
