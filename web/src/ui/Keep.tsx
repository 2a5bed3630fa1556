// Whether this result is kept on the device: asked at each one, and not unless it is wanted.

import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { Result } from "../results/result";
import { Icon, useSay } from "./parts";

interface Props {
  result: Result;
  /** The FHIR Bundle's JSON. */
  json: string;
  /** To the kept results. */
  open: () => void;
}

type Done = "kept" | "declined" | "failed" | "locked";

/** What was answered for a result, so that coming back to it does not ask again. */
const answered = new Map<string, Done>();

export function Keep({ result, json, open }: Props): JSX.Element {
  const say = useSay();
  const [, show] = useState(0);
  const done = answered.get(result.id);
  const tell = (what: Done): void => {
    answered.set(result.id, what);
    show((n) => n + 1);
  };
  useLayoutEffect(() => {
    if (done !== "kept") return;
    // It may have been deleted or wiped since, here or in another tab.
    const look = async (): Promise<boolean> => (await import("../results/kept")).isKept(result.id);
    look().then(
      (kept) => {
        if (kept) return;
        answered.delete(result.id);
        show((n) => n + 1);
      },
      () => undefined,
    );
  }, [result.id]);
  const keepIt = async (): Promise<void> => {
    try {
      const { keep } = await import("../results/kept");
      await keep(result.id, json);
      tell("kept");
    } catch (fault) {
      tell((fault as Error).name === "Locked" ? "locked" : "failed");
    }
  };
  return (
    <div class="card keep">
      <div aria-live="polite">
        {done === undefined ? (
          <>
            <h2>{say("keep.title")}</h2>
            <p>{say("keep.text")}</p>
          </>
        ) : (
          <p class={done === "kept" ? "good" : done === "declined" ? "" : "bad"}>
            {done === "kept" && <Icon name="good" />}
            {say(`keep.${done}`)}
          </p>
        )}
      </div>
      <div class="row">
        {done !== "kept" && (
          <button onClick={() => void keepIt()}>
            <Icon name="lock" />
            {say("keep.yes")}
          </button>
        )}
        {done === undefined && <button onClick={() => tell("declined")}>{say("keep.no")}</button>}
        {(done === "kept" || done === "locked") && <button onClick={open}>{say("results.title")}</button>}
      </div>
    </div>
  );
}
