// The camera of the reader page: looks for codes a few times a second while it is on.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useCamera } from "../camera/useCamera";
import { codeOfFrame } from "../qr/scan";
import { Icon, useSay } from "./parts";

const PAUSE = 120; // ms between looks, so that a slow phone stays usable

/** `quiet` where another button is what a person came for. */
export function Scan({ heard, quiet = false }: { heard: (text: string) => void; quiet?: boolean }): JSX.Element {
  const say = useSay();
  const [on, setOn] = useState(false);
  const [denied, setDenied] = useState(false);
  return (
    <div class="scan">
      {on && (
        <Looking
          heard={heard}
          failed={() => {
            setOn(false);
            setDenied(true);
          }}
        />
      )}
      <button
        type="button"
        class={on || quiet ? "" : "primary"}
        onClick={() => {
          setDenied(false);
          setOn(!on);
        }}
      >
        <Icon name="camera" />
        {say(on ? "reader.stop" : "reader.camera")}
      </button>
      {denied && (
        <p class="bad" role="alert">
          {say("reader.denied")}
        </p>
      )}
    </div>
  );
}

/** `failed` where the camera was refused, there is none, or the connection is not secure. */
function Looking({ heard, failed }: { heard: (text: string) => void; failed: () => void }): JSX.Element {
  const say = useSay();
  const { stream, fault } = useCamera();
  const video = useRef<HTMLVideoElement>(null);
  const tell = useRef(heard);
  tell.current = heard;
  useLayoutEffect(() => {
    if (fault) failed();
  }, [fault]);
  useLayoutEffect(() => {
    const shown = video.current;
    if (!stream || !shown) return undefined;
    shown.srcObject = stream;
    void shown.play().catch(() => undefined); // interrupted by leaving the page
    let on = true;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      const text = await codeOfFrame(shown);
      if (!on) return;
      if (text !== null) tell.current(text);
      timer = setTimeout(() => void look(), PAUSE);
    };
    void look();
    return () => {
      on = false;
      clearTimeout(timer);
      shown.srcObject = null;
    };
  }, [stream]);
  return (
    <>
      <video ref={video} muted playsInline aria-label={say("reader.aim")} />
      <p class="faint" role="status">
        {say(stream ? "reader.aim" : "camera.starting")}
      </p>
    </>
  );
}
