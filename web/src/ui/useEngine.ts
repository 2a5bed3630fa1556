// The engine as the page sees it: how far it is, and questions to it that never throw.

import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Engine, EngineFault, type Preview } from "../engine/client";
import type { Ready } from "../engine/messages";
import { keepPage } from "../offline";
import type { Part } from "../photo/decode";
import type { Screened } from "../screen/screener";

const PREVIEW_SIDE = 512; // px, the least short side of what a person looks at

export interface EngineState {
  ready: Ready | null;
  /** Share of the model that has arrived. */
  share: number;
  /** Message key under "engine." of what went wrong. */
  fault: string | null;
  /** Whether page and model will be there without a network. */
  offline: boolean;
  newer: boolean;
  retry: () => void;
  /** Null where the photo cannot be opened; `screen` says why. */
  preview: (file: Blob, side?: number) => Promise<Preview | null>;
  /** Null where there is no model or the device failed; `fault` says why. */
  screen: (file: Blob, part: Part, signal?: AbortSignal) => Promise<Screened | null>;
}

const FAULTS = ["network", "bundle", "numbers"];

export function useEngine(): EngineState {
  const [ready, setReady] = useState<Ready | null>(null);
  const [share, setShare] = useState(0);
  const [fault, setFault] = useState<string | null>(null);
  const [kept, setKept] = useState(false);
  const [newer, setNewer] = useState(false);
  const engine = useMemo(() => new Engine(new URL("bundle/", location.href).href, setShare, setReady), []);

  const failed = (why: unknown): null => {
    const code = why instanceof EngineFault ? why.code : "broken";
    if (code === "aborted") return null; // the photo was taken away
    console.warn(`poxlens: ${String(why)}`);
    setFault(FAULTS.includes(code) ? code : "broken");
    return null;
  };
  const start = async (): Promise<void> => {
    setFault(null);
    try {
      await engine.start(); // tells setReady, as each later start does
      setKept(await keepPage());
      if (navigator.onLine) setNewer((await engine.refresh().catch(() => null)) !== null);
    } catch (why) {
      failed(why);
    }
  };
  useEffect(() => void start(), []); // the page is painted first
  useLayoutEffect(() => () => engine.end(), []); // the worker goes with the page, not a frame later

  return {
    ready,
    share,
    fault,
    offline: kept && ready?.kept === true,
    newer,
    retry: () => void start(),
    preview: (file, side = PREVIEW_SIDE) => engine.preview(file, side).catch(() => null),
    screen: (file, part, signal) => engine.screen(file, part, signal).catch(failed),
  };
}
