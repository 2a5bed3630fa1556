// About the tool: what it is for, what it is bad at, how it was tested, and what is kept on this device.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Ready } from "../engine/messages";
import { forgetAll } from "../offline";
import { useSay } from "./parts";

const STAGES = ["macule", "papule", "vesicle", "pustule", "crust"] as const;

export function About({ ready, close }: { ready: Ready | null; close: () => void }): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  const [forgotten, setForgotten] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
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
      <p>{say("about.lesions_text")}</p>
      <ol class="stages">
        {STAGES.map((stage) => (
          <li key={stage}>
            <Stage name={stage} />
            {say(`lesion.${stage}`)}
          </li>
        ))}
      </ol>
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
          <button onClick={() => void forgetAll().then(() => setForgotten(true))}>{say("about.forget")}</button>
        )}
        <button class="primary" onClick={() => dialog.current?.close()}>
          {say("app.close")}
        </button>
      </div>
    </dialog>
  );
}

/** A lesion on light and on dark skin, from above. */
function Stage({ name }: { name: (typeof STAGES)[number] }): JSX.Element {
  return (
    <svg viewBox="0 0 80 40" aria-hidden="true">
      <rect width="40" height="40" fill="#e9bd98" />
      <rect x="40" width="40" height="40" fill="#6b4229" />
      <Spot name={name} cx={20} red="#c0503a" />
      <Spot name={name} cx={60} red="#8e3b36" />
    </svg>
  );
}

function Spot({ name, cx, red }: { name: (typeof STAGES)[number]; cx: number; red: string }): JSX.Element {
  const at = { cx, cy: 20 };
  return (
    <g>
      <circle {...at} r="12" fill={red} opacity={name === "macule" ? 0.75 : 0.9} />
      {name === "papule" && <circle cx={cx - 3} cy="16" r="5" fill="#fff" opacity=".35" />}
      {name === "vesicle" && <circle {...at} r="8.5" fill="#dfeaf0" opacity=".85" />}
      {name === "pustule" && <circle {...at} r="8.5" fill="#f3e3b3" />}
      {name === "pustule" && <circle {...at} r="2.8" fill="#8a5a3c" />}
      {name === "crust" && <path d={`M${cx - 9} 19l5-7 8-1 6 6-1 8-7 4-8-2z`} fill="#3d2018" />}
    </g>
  );
}
