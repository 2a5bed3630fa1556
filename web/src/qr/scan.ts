// QR codes in a picture or a camera's frame: by the browser's own detector where it has one (Android), else by `qr`.

import { decodeQR, decodeQRBatch } from "qr/decode.js";

interface Detector {
  detect: (source: ImageData) => Promise<readonly { rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: readonly string[] }): Detector;
  getSupportedFormats: () => Promise<readonly string[]>;
}

const MAX_SIDE = 1600; // px; more adds nothing to a code that fills a good part of the picture, and costs memory
const FRAME_SIDE = 1280; // px; of a frame, of which many come a second

let detector: Promise<Detector | null> | undefined;

async function openDetector(): Promise<Detector | null> {
  const found = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  try {
    // Chromium on a desk has the class but no formats.
    if (!found || !(await found.getSupportedFormats()).includes("qr_code")) return null;
    return new found({ formats: ["qr_code"] });
  } catch {
    return null;
  }
}

async function detected(image: ImageData): Promise<string[]> {
  detector ??= openDetector();
  const found = await (await detector)?.detect(image).catch(() => []);
  return found?.map(({ rawValue }) => rawValue) ?? [];
}

/** The texts of all codes in a picture file; empty where there are none. @throws where it is no picture */
export async function codesOfFile(file: Blob): Promise<string[]> {
  const bitmap = await createImageBitmap(file);
  const image = pixelsOf(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  const found = await detected(image);
  if (found.length) return found;
  const [texts] = await decodeQRBatch([image], { effort: 4, timeLimit: 3_000 });
  return (texts ?? []).filter((text) => typeof text === "string");
}

/** The text of a code in the camera's frame of this moment, or null. */
export async function codeOfFrame(video: HTMLVideoElement): Promise<string | null> {
  if (!video.videoWidth) return null;
  const image = pixelsOf(video, video.videoWidth, video.videoHeight, FRAME_SIDE);
  const [found] = await detected(image);
  if (found) return found;
  try {
    return decodeQR(image, { timeLimit: 60 });
  } catch {
    return null; // no code in this frame
  }
}

let canvas: HTMLCanvasElement | undefined;

function pixelsOf(source: ImageBitmap | HTMLVideoElement, width: number, height: number, most = MAX_SIDE): ImageData {
  const scale = Math.min(1, most / Math.max(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  canvas ??= document.createElement("canvas"); // one for all frames: iOS gives canvases back late
  Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0, w, h);
  return context.getImageData(0, 0, w, h);
}
