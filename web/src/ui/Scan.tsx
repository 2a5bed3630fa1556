// The camera of the reader page: looks for codes a few times a second while it is on.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { codeOfFrame } from "../qr/scan";
import { Icon, useSay } from "./parts";

const PAUSE = 120; // ms between looks, so that a slow phone stays usable

export function Scan({ heard }: { heard: (text: string) => void }): JSX.Element {
  const say = useSay();
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [denied, setDenied] = useState(false);
  const video = useRef<HTMLVideoElement>(null);
  const tell = useRef(heard);
  tell.current = heard;

  const start = async (): Promise<void> => {
    setDenied(false);
    try {
      const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      setStream(await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false }));
    } catch {
      setDenied(true); // refused, none there, or no secure connection
    }
  };
  useEffect(() => {
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
      stream.getTracks().forEach((track) => track.stop());
    };
  }, [stream]);

  return (
    <div class="scan">
      {stream && (
        <>
          <video ref={video} muted playsInline aria-label={say("reader.aim")} />
          <p class="faint">{say("reader.aim")}</p>
        </>
      )}
      <button type="button" class={stream ? "" : "primary"} onClick={() => (stream ? setStream(null) : void start())}>
        <Icon name="camera" />
        {say(stream ? "reader.stop" : "reader.camera")}
      </button>
      {denied && (
        <p class="bad" role="alert">
          {say("reader.denied")}
        </p>
      )}
    </div>
  );
}
