// The worker: photos in, decisions out. Nothing of a photo is kept.

import { load, refresh } from "../bundle/store";
import { decode } from "../photo/decode";
import { prepare } from "../photo/resize";
import { Unreadable } from "../photo/unreadable";
import { Screener } from "../screen/screener";
import { GoldenFault } from "./golden";
import type { Answer, Ask, Ready, StartFault } from "./messages";
import { openOnnx } from "./onnx";

let screener: Screener | null = null;
let base = "";

const post = (message: Answer, transfer: Transferable[] = []): void => self.postMessage(message, { transfer });

self.onmessage = async ({ data }: MessageEvent<Ask>): Promise<void> => {
  try {
    await answer(data);
  } catch (fault) {
    post({ id: data.id, kind: "fault", fault: faultOf(data.kind, fault), detail: String(fault) });
  }
};

function faultOf(kind: Ask["kind"], fault: unknown): StartFault | string {
  if (fault instanceof Unreadable) return fault.message;
  if (kind !== "start") return "broken";
  if (fault instanceof GoldenFault) return "numbers";
  if (fault instanceof TypeError && /fetch|network|load/i.test(fault.message)) return "network";
  return "bundle";
}

async function answer(ask: Ask): Promise<void> {
  if (ask.kind === "start") return start(ask.id, ask.base);
  if (ask.kind === "refresh") {
    const label = screener ? await refresh(base, screener.bundle.label) : null;
    return post({ id: ask.id, kind: "refreshed", label });
  }
  const bytes = await read(ask.file);
  if (ask.kind === "preview") {
    const { pixels, width, height } = await decode(bytes, undefined, ask.side);
    const image = new ImageData(pixels.data as Uint8ClampedArray<ArrayBuffer>, pixels.width, pixels.height);
    return post({ id: ask.id, kind: "preview", image, width, height }, [image.data.buffer]);
  }
  if (!screener) throw new Error("not started");
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

async function start(id: number, from: string): Promise<void> {
  base = from;
  const bundle = await load(base, (done, total) => post({ id, kind: "progress", done, total }));
  // Threads need shared memory, which a browser gives to isolated pages only.
  const threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  screener = await Screener.open(bundle, openOnnx, threads);
  const ready: Ready = {
    manifest: bundle.manifest,
    label: bundle.label,
    kept: bundle.kept,
    threads,
    goldenDifference: screener.goldenDifference,
  };
  post({ id, kind: "ready", ready });
}
