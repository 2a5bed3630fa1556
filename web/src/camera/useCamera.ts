// The chosen camera while it is wanted: closed when it is not, and while the page is hidden.

import { useLayoutEffect, useState } from "preact/hooks";
import { type CameraFault, closeCamera, faultOf, hasCamera, openCamera } from "./stream";

export interface Camera {
  stream: MediaStream | null;
  fault: CameraFault | null;
  /** All that this computer has; a microscope for skin is one of them. */
  all: readonly MediaDeviceInfo[];
}

/** @param chosen id of a camera, or "" for the one that the browser takes */
export function useCamera(chosen = ""): Camera {
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [fault, setFault] = useState<CameraFault | null>(null);
  const [all, setAll] = useState<readonly MediaDeviceInfo[]>([]);
  // A layout effect is undone as the view goes; a passive one after the next paint, and until then the camera would see on.
  useLayoutEffect(() => {
    if (!hasCamera()) return setFault("absent");
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
      setFault(null);
      try {
        const found = await (chosen ? openOne(chosen) : openCamera());
        if (mine !== wanted) return closeCamera(found);
        open = found;
        setStream(found);
        const devices = await navigator.mediaDevices.enumerateDevices(); // their names only after permission
        setAll(devices.filter(({ kind }) => kind === "videoinput"));
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
  }, [chosen]);
  return { stream, fault, all };
}

const openOne = (id: string): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({ video: { deviceId: { exact: id }, width: { ideal: 1920 }, height: { ideal: 1440 } }, audio: false });
