// A fault in words: this page's own where it has them, else the server's sentence.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Say } from "../messages";
import { useSay } from "../ui/parts";
import { Fault } from "./api/client";

export function wordsOfFault(why: unknown, say: Say): string {
  if (!(why instanceof Fault)) return say("fault.broken");
  const key = `fault.${why.code}`;
  const own = say(key, { minutes: Math.max(1, Math.ceil((why.wait ?? 60) / 60)) });
  return own === key ? why.message : own;
}

export function Told({ fault }: { fault: unknown }): JSX.Element | null {
  const say = useSay();
  return fault === null || fault === undefined ? null : (
    <p class="bad" role="alert">
      {wordsOfFault(fault, say)}
    </p>
  );
}

export interface Work {
  busy: boolean;
  fault: unknown;
  /** Do one thing at a time; a fault is shown until the next. Resolves to whether it was done. */
  run: (work: () => Promise<void>) => Promise<boolean>;
}

export function useWork(): Work {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setFault(null);
    try {
      await work();
      return true;
    } catch (why) {
      setFault(why);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, fault, run };
}
