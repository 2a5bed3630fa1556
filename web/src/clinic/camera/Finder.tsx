// The camera's live picture with a square to hold the rash in, and what to do better.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { take } from "../../camera/square";
import { useCamera } from "../../camera/useCamera";
import { type Limits, useHint, Viewfinder } from "../../camera/Viewfinder";
import { Icon, useSay } from "../../ui/parts";
import { Pick } from "../Field";

interface Props {
  limits: Limits;
  taken: (file: File) => void;
}

export function Finder({ limits, taken }: Props): JSX.Element {
  const say = useSay();
  const [chosen, setChosen] = useState("");
  const { stream, fault, all } = useCamera(chosen);
  const video = useRef<HTMLVideoElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const hint = useHint(video, stream !== null, limits);
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
        <Viewfinder video={video} stream={stream} hint={hint} />
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
