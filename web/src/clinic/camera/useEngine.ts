// The app's engine on this page: photos are judged in this browser, and none is sent for that.

import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Engine, EngineFault, type Preview } from "../../engine/client";
import type { Ready } from "../../engine/messages";
import type { Part } from "../../photo/decode";
import type { Screened } from "../../screen/screener";
import { WHOLE } from "../../ui/state";

const FAULTS = ["network", "bundle", "numbers"];

export interface Judge {
  ready: Ready | null;
  /** Share of the model that has arrived. */
  share: number;
  /** Message key under "engine." */
  fault: string | null;
  retry: () => void;
  preview: (file: Blob, side: number) => Promise<Preview | null>;
  screen: (file: Blob, part?: Part) => Promise<Screened | null>;
}

export function useEngine(): Judge {
  const [ready, setReady] = useState<Ready | null>(null);
  const [share, setShare] = useState(0);
  const [fault, setFault] = useState<string | null>(null);
  // The clinic's pages are one folder below the app's, where the bundle is.
  const engine = useMemo(() => new Engine(new URL("../bundle/", location.href).href, setShare, setReady), []);
  const failed = (why: unknown): null => {
    const code = why instanceof EngineFault ? why.code : "broken";
    console.warn(`poxlens: ${String(why)}`);
    if (code !== "aborted") setFault(FAULTS.includes(code) ? code : "broken");
    return null;
  };
  const start = (): void => {
    setFault(null);
    engine.start().catch(failed);
  };
  useLayoutEffect(() => {
    start();
    return () => engine.end();
  }, []);
  return {
    ready,
    share,
    fault,
    retry: start,
    preview: (file, side) => engine.preview(file, side).catch(() => null),
    screen: (file, part = WHOLE) => engine.screen(file, part).catch(failed),
  };
}
