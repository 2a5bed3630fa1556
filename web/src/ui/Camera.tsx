// The camera's picture with a square to hold the rash in, and what to do better while one looks.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { take } from "../camera/square";
import { useCamera } from "../camera/useCamera";
import { type Limits, useHint, Viewfinder } from "../camera/Viewfinder";
import { Icon, useSay } from "./parts";

interface Props {
  limits: Limits;
  /** A photo was taken. */
  done: (file: File) => void;
  close: () => void;
}

export function Camera({ limits, done, close }: Props): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const { stream, fault } = useCamera();
  const hint = useHint(video, stream !== null, limits);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const shoot = async (): Promise<void> => {
    const file = video.current && (await take(video.current));
    if (file) done(file);
  };
  return (
    <dialog ref={dialog} class="camera" onClose={close} aria-labelledby="camera-title">
      <h1 id="camera-title">{say("camera.title")}</h1>
      {fault ? (
        <p class="bad" role="alert">
          {say(`camera.${fault}`)}
        </p>
      ) : (
        <Viewfinder video={video} stream={stream} hint={hint} />
      )}
      <p class={hint === "good" ? "hint good" : "hint"} role="status">
        {!fault && say(hint ? `camera.hint.${hint}` : "camera.starting")}
      </p>
      <div class="row">
        {!fault && (
          <button class="primary" disabled={!stream} onClick={() => void shoot()}>
            <Icon name="camera" />
            {say("camera.take")}
          </button>
        )}
        <button onClick={close}>{say("camera.close")}</button>
      </div>
    </dialog>
  );
}
