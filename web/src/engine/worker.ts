// The worker: photos in, decisions out, one after the other. Nothing of a photo is kept.

import { refresh } from "../bundle/store";
import { decode } from "../photo/decode";
import { prepare } from "../photo/resize";
import { Unreadable } from "../photo/unreadable";
import { nameOf } from "./builds";
import { GoldenFault } from "./golden";
import type { Answer, Ask, Cancel, Ready, StartFault } from "./messages";
import { missing, start, type Started } from "./start";

let started: Started | null = null;
let base = "";
let last: Promise<void> = Promise.resolve();
const cancelled = new Set<number>();

const post = (message: Answer, transfer: Transferable[] = []): void => self.postMessage(message, { transfer });

self.onmessage = ({ data }: MessageEvent<Ask | Cancel>): void => {
  if (data.kind === "cancel") cancelled.add(data.id);
  else if (data.kind === "refresh") void handle(data); // a poor network must not hold up photos
  // In turn: two large photos at a time are more memory than a phone has.
  else last = last.then(() => handle(data));
};

async function handle(ask: Ask): Promise<void> {
  try {
    if (!cancelled.has(ask.id)) await answer(ask);
  } catch (fault) {
    post({ id: ask.id, kind: "fault", fault: faultOf(ask.kind, fault), detail: String(fault) });
  }
  cancelled.delete(ask.id);
}

function faultOf(kind: Ask["kind"], fault: unknown): StartFault | string {
  if (fault instanceof Unreadable) return fault.message;
  if (kind !== "start") return "broken";
  if (fault instanceof GoldenFault) return "numbers";
  return missing(fault) ? "network" : "bundle";
}

async function answer(ask: Ask): Promise<void> {
  if (ask.kind === "start") return open(ask.id, ask.base, ask.label);
  if (ask.kind === "preview") {
    const { pixels, width, height } = await decode(await read(ask.file), undefined, ask.side);
    const image = new ImageData(pixels.data as Uint8ClampedArray<ArrayBuffer>, pixels.width, pixels.height);
    return post({ id: ask.id, kind: "preview", image, width, height }, [image.data.buffer]);
  }
  if (!started) throw new Error("not started");
  const { screener, choose } = started;
  if (ask.kind === "refresh") {
    const newer = await refresh(base, screener.bundle.label, choose);
    return post({ id: ask.id, kind: "refreshed", label: newer });
  }
  if (ask.kind === "outputs") {
    const before = performance.now();
    const outputs = await screener.outputs(ask.rgb);
    return post({ id: ask.id, kind: "outputs", outputs, ms: performance.now() - before });
  }
  const bytes = await read(ask.file);
  if (ask.kind === "prepare") {
    const { pixels } = await decode(bytes, ask.part);
    return post({ id: ask.id, kind: "prepared", rgb: prepare(pixels, screener.bundle.manifest.input) });
  }
  post({ id: ask.id, kind: "screened", screened: await screener.screen(bytes, ask.part) });
}

async function read(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Unreadable("io"); // a card that was taken out, a cloud file that cannot be fetched
  }
}

async function open(id: number, from: string, label: string | null): Promise<void> {
  base = from;
  started = await start(base, label, (done, total) => post({ id, kind: "progress", done, total }));
  const { screener, way, kept } = started;
  const { manifest } = screener.bundle;
  const { goldenDifference } = screener;
  const ready: Ready = { manifest, label: screener.bundle.label, kept, way: nameOf(way), threads: way.threads, goldenDifference };
  post({ id, kind: "ready", ready });
}
