// About the tool: what it is for, what it is bad at, how it was tested, and what is kept on this device.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ready } from "../engine/messages";
import { forgetAll } from "../offline";
import { Lesions } from "./Lesions";
import { useSay } from "./parts";

export function About({ ready, close }: { ready: Ready | null; close: () => void }): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  const [forgotten, setForgotten] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    title.current?.focus(); // else the first button takes it, at the far end
  }, []);
  const manifest = ready?.manifest;
  const share = (name: string, group: string): string => {
    const found = manifest?.evidence.figures.find((figure) => figure.name === name && figure.group === group);
    return found ? (100 * found.interval.value).toFixed(1).replace(/\.0$/, "") : "?";
  };
  return (
    <dialog ref={dialog} class="about" onClose={close} aria-labelledby="about-title">
      <h1 id="about-title" ref={title} tabIndex={-1}>{say("about.title")}</h1>
      <p>{say("disclaimer")}</p>
      <h2>{say("about.lesions")}</h2>
      <Lesions />
      {manifest && (
        <>
          <h2>{say("about.for")}</h2>
          <p lang="en">{manifest.intended_use}</p>
          <h2>{say("about.limits")}</h2>
          <ul lang="en">
            {manifest.limits.map((limit) => (
              <li key={limit}>{limit}</li>
            ))}
          </ul>
          <h2>{say("about.tested")}</h2>
          <p>
            {say("about.found", {
              sensitivity: share("refer", `all, ${manifest.target}`),
              false: share("refer", `all, not ${manifest.target}`),
              missed: share("not_suspected", `all, ${manifest.target}`),
            })}
          </p>
          <p lang="en" class="faint">
            {manifest.evidence.protocol}
          </p>
          <h2>{say("about.model")}</h2>
          <p>
            {ready.label}.{" "}
            {say("about.device", {
              difference: ready.goldenDifference.toExponential(1),
              allowed: manifest.models[0].golden_tolerance,
            })}
          </p>
        </>
      )}
      <p>{say("about.kept")}</p>
      <div class="row" aria-live="polite">
        {forgotten ? (
          <p>{say("about.forgotten")}</p>
        ) : (
          <button onClick={() => void forgetEverything().then(() => setForgotten(true))}>{say("about.forget")}</button>
        )}
        <button class="primary" onClick={() => dialog.current?.close()}>
          {say("app.close")}
        </button>
      </div>
    </dialog>
  );
}

/** The page, the model, the language, every kept result, and what was handed to a clinic. */
async function forgetEverything(): Promise<void> {
  const { wipeEverything } = await import("./wipe");
  await wipeEverything().catch(() => undefined); // storage is refused: nothing was kept
  await forgetAll();
}
