// The camera's live picture with a square to hold the rash in, and what to do better.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Manifest } from "../../bundle/manifest";
import { type Hint, hintOf, LOOK_SIDE, steady } from "../../camera/hints";
import { look, take } from "../../camera/square";
import { isSelfie } from "../../camera/stream";
import "../../camera/camera.css";
import { Icon, useSay } from "../../ui/parts";
import { Pick } from "../Field";
import { useCamera } from "./useCamera";

const PAUSE = 250; // ms between looks, so that an old computer stays usable

interface Props {
  /** Null while the model loads: no hints yet. */
  limits: Manifest["gate"]["quality"] | null;
  taken: (file: File) => void;
}

export function Finder({ limits, taken }: Props): JSX.Element {
  const say = useSay();
  const [chosen, setChosen] = useState("");
  const { stream, fault, all } = useCamera(chosen);
  const video = useRef<HTMLVideoElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const hint = useHint(video, stream !== null, limits);
  useEffect(() => {
    if (!stream || !video.current) return;
    video.current.srcObject = stream;
    void video.current.play().catch(() => undefined); // interrupted by leaving
  }, [stream]);
  const shoot = async (): Promise<void> => {
    const found = video.current && (await take(video.current));
    if (found) taken(found);
  };
  return (
    <div class="station">
      {fault ? (
        <p class="nothing">
          <span role="alert">{say(`camera.${fault}`)}</span>
        </p>
      ) : (
        <div class="finder">
          <video ref={video} class={stream && isSelfie(stream) ? "mirror" : ""} muted playsInline aria-hidden="true" />
          <i class={hint === "good" ? "square ready" : "square"} />
        </div>
      )}
      <div class="controls">
        <p class={hint === "good" ? "hint good" : "hint"} role="status">
          {!fault && say(hint ? `camera.hint.${hint}` : "camera.starting")}
        </p>
        {!fault && (
          <button class="primary wide" disabled={!stream} onClick={() => void shoot()}>
            <Icon name="camera" />
            {say("camera.take")}
          </button>
        )}
        <button class="wide" onClick={() => input.current?.click()}>
          <Icon name="picture" />
          {say("photos.choose")}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          accept="image/*"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file) taken(file);
            event.currentTarget.value = "";
          }}
        />
        {all.length > 1 && (
          <Pick
            label={say("station.which")}
            name="camera"
            value={chosen}
            options={[["", say("station.any")], ...all.map(({ deviceId, label }, i) => [deviceId, label || say("station.number", { n: i + 1 })] as const)]}
            set={setChosen}
          />
        )}
        <p class="faint">{say("station.kept")}</p>
      </div>
    </div>
  );
}

/** What to do better, looked at a few times a second. */
function useHint(video: { current: HTMLVideoElement | null }, on: boolean, limits: Props["limits"]): Hint | null {
  const [hint, setHint] = useState<Hint | null>(null);
  useEffect(() => {
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
