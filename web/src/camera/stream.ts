// The device's camera: opened, and closed again whatever happens.

/** Why there is no picture; the sentences are in the message files under "camera.<fault>". */
export type CameraFault = "denied" | "absent" | "busy";

/** Whether this page can ask for a camera at all: browsers offer it to pages with TLS and to this computer's own. */
export const hasCamera = (): boolean => typeof navigator.mediaDevices?.getUserMedia === "function";

/** @throws DOMException */
export function openCamera(): Promise<MediaStream> {
  // The back camera where there is one; as many pixels as most phones give without slowing down.
  const video = { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1440 } };
  return navigator.mediaDevices.getUserMedia({ video, audio: false });
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

export function faultOf(why: unknown): CameraFault {
  const name = why instanceof DOMException ? why.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "absent";
}

/** Whether a picture should be shown as in a mirror: whoever looks at the screen is in it. */
export const isSelfie = (stream: MediaStream): boolean =>
  stream.getVideoTracks()[0]?.getSettings().facingMode !== "environment";
