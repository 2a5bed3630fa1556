// The camera's live picture with a square to hold the rash in, and what to do better.

import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { Manifest } from "../bundle/manifest";
import { type Hint, hintOf, LOOK_SIDE, steady } from "./hints";
import { look } from "./square";
import { isSelfie } from "./stream";
import "./camera.css";

const PAUSE = 250; // ms between looks, so that a slow phone or an old computer stays usable

/** Null while the model loads: no hints yet. */
export type Limits = Manifest["gate"]["quality"] | null;

export function Viewfinder({ video, stream, hint }: { video: RefObject<HTMLVideoElement | null>; stream: MediaStream | null; hint: Hint | null }): JSX.Element {
  useLayoutEffect(() => {
    if (!stream || !video.current) return;
    video.current.srcObject = stream;
    void video.current.play().catch(() => undefined); // interrupted by leaving
  }, [stream]);
  return (
    <div class="finder">
      <video ref={video} class={stream && isSelfie(stream) ? "mirror" : ""} muted playsInline aria-hidden="true" />
      <i class={hint === "good" ? "square ready" : "square"} />
    </div>
  );
}

/** What to do better, looked at a few times a second. */
export function useHint(video: { current: HTMLVideoElement | null }, on: boolean, limits: Limits): Hint | null {
  const [hint, setHint] = useState<Hint | null>(null);
  useLayoutEffect(() => {
    if (!on || !limits) return setHint(null);
    const canvas = document.createElement("canvas");
    const told = steady();
    const timer = setInterval(() => {
      const pixels = video.current && look(video.current, canvas, LOOK_SIDE);
      if (pixels) setHint(told(hintOf(pixels, limits)));
    }, PAUSE);
    return () => {
      clearInterval(timer);
      canvas.width = canvas.height = 0;
    };
  }, [on, limits]);
  return hint;
}
