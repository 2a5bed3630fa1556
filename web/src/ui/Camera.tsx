// The camera's picture with a square to hold the rash in, and what to do better while one looks.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Manifest } from "../bundle/manifest";
import { type Hint, hintOf, LOOK_SIDE, steady } from "../camera/hints";
import { look, take } from "../camera/square";
import { type CameraFault, closeCamera, faultOf, isSelfie, openCamera } from "../camera/stream";
import "../camera/camera.css";
import { Icon, useSay } from "./parts";

const PAUSE = 250; // ms between looks, so that a slow phone stays usable

interface Props {
  /** Null while the model loads: no hints yet. */
  limits: Manifest["gate"]["quality"] | null;
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
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (!stream || !video.current) return;
    video.current.srcObject = stream;
    void video.current.play().catch(() => undefined); // interrupted by closing
  }, [stream]);
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
        <div class="finder">
          <video ref={video} class={stream && isSelfie(stream) ? "mirror" : ""} muted playsInline aria-hidden="true" />
          <i class={hint === "good" ? "square ready" : "square"} />
        </div>
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

/** The camera while the component is there: closed with it, and while the page is hidden. */
function useCamera(): { stream: MediaStream | null; fault: CameraFault | null } {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [fault, setFault] = useState<CameraFault | null>(null);
  useEffect(() => {
    let wanted = 0;
    let open: MediaStream | null = null;
    const stop = (): void => {
      wanted += 1; // an answer to an earlier request is closed as it comes
      if (open) closeCamera(open);
      open = null;
      setStream(null);
    };
    const start = async (): Promise<void> => {
      const mine = ++wanted;
      try {
        const found = await openCamera();
        if (mine !== wanted) return closeCamera(found);
        open = found;
        setStream(found);
      } catch (why) {
        if (mine === wanted) setFault(faultOf(why));
      }
    };
    const changed = (): void => (document.hidden ? stop() : void start());
    document.addEventListener("visibilitychange", changed);
    addEventListener("pagehide", stop);
    void start();
    return () => {
      document.removeEventListener("visibilitychange", changed);
      removeEventListener("pagehide", stop);
      stop();
    };
  }, []);
  return { stream, fault };
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
