// The square in the middle of the camera's picture: what is looked at, and what is taken.

import type { Pixels } from "../photo/pixels";

/** Side of the square as a share of the picture's shorter side; style.css draws it as large. */
export const SQUARE = 0.8;

export interface Square {
  left: number;
  top: number;
  side: number;
}

/** The square in the camera's own pixels. */
export function squareOf(width: number, height: number): Square {
  const side = Math.floor(Math.min(width, height) * SQUARE);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

/** A small copy of the square; the canvas is the caller's, so that it is used again for each look. */
export function look(video: HTMLVideoElement, canvas: HTMLCanvasElement, side: number): Pixels | null {
  const context = draw(video, canvas, side);
  return context && context.getImageData(0, 0, side, side);
}

/** The square as a JPEG in the camera's own pixels; null while there is no picture. */
export async function take(video: HTMLVideoElement): Promise<File | null> {
  const canvas = document.createElement("canvas");
  const { side } = squareOf(video.videoWidth, video.videoHeight);
  if (!draw(video, canvas, side)) return null;
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  canvas.width = canvas.height = 0; // Safari keeps a canvas's memory until its size is 0
  return blob && new File([blob], "photo.jpg", { type: "image/jpeg" });
}

function draw(video: HTMLVideoElement, canvas: HTMLCanvasElement, side: number): CanvasRenderingContext2D | null {
  const from = squareOf(video.videoWidth, video.videoHeight);
  if (!from.side) return null;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.drawImage(video, from.left, from.top, from.side, from.side, 0, 0, side, side);
  return context;
}
