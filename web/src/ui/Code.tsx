// QR codes of a result, one at a time on the screen and all of them on paper.

import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { encodeQR } from "qr";
import { QR, toParts } from "../qr/parts";
import { useSay } from "./parts";

const EACH = 1500; // ms; a cheap camera finds its focus in less

export function Code({ json }: { json: string }): JSX.Element {
  const say = useSay();
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [codes] = useState(() => toParts(json).map((text) => encodeQR(text, "raw", { ecc: QR.correction, border: 4 })));
  const total = codes.length;
  // Undone as it is stopped: after the next paint it would turn once more.
  useLayoutEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => setAt((now) => (now + 1) % total), EACH);
    return () => clearInterval(timer);
  }, [playing, total]);
  const turn = (by: number): void => {
    setPlaying(false);
    setAt((now) => (now + by + total) % total);
  };
  return (
    <div class="codes">
      {codes.map((modules, i) => (
        <figure key={i} class={i === at ? "code" : "code paper-only"}>
          <Modules modules={modules} label={say("qr.alt", { n: i + 1, total })} />
          {total > 1 && <figcaption>{say("qr.part", { n: i + 1, total })}</figcaption>}
        </figure>
      ))}
      {total > 1 && (
        <div class="row screen-only">
          <button onClick={() => turn(-1)}>{say("qr.previous")}</button>
          <button onClick={() => turn(1)}>{say("qr.next")}</button>
          <button aria-pressed={playing} onClick={() => setPlaying(!playing)}>
            {say(playing ? "qr.pause" : "qr.play")}
          </button>
        </div>
      )}
    </div>
  );
}

/** Black on white in dark mode too: cheap scanners read nothing else. */
function Modules({ modules, label }: { modules: boolean[][]; label: string }): JSX.Element {
  const side = modules.length;
  const path = modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
