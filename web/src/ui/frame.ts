// The frame around the rash: moved, sized and pinched, always inside the photo. Shares of the photo's sides.

import type { Part } from "../photo/decode";

/** Least side of a frame as a share of the photo's. */
const LEAST = 0.08;

const within = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

export function moved(part: Part, dx: number, dy: number): Part {
  return { ...part, left: within(part.left + dx, 0, 1 - part.width), top: within(part.top + dy, 0, 1 - part.height) };
}

/** Grown or shrunk about its middle. */
export function scaled(part: Part, by: number): Part {
  const width = within(part.width * by, LEAST, 1);
  const height = within(part.height * by, LEAST, 1);
  const left = within(part.left + (part.width - width) / 2, 0, 1 - width);
  const top = within(part.top + (part.height - height) / 2, 0, 1 - height);
  return { left, top, width, height };
}

/** One corner pulled: 0 top left, 1 top right, 2 bottom right, 3 bottom left; the opposite one stays. */
export function pulled(part: Part, corner: number, dx: number, dy: number): Part {
  const [atLeft, atTop] = [corner === 0 || corner === 3, corner < 2];
  const right = part.left + part.width;
  const bottom = part.top + part.height;
  const left = atLeft ? within(part.left + dx, 0, right - LEAST) : part.left;
  const top = atTop ? within(part.top + dy, 0, bottom - LEAST) : part.top;
  const newRight = atLeft ? right : within(right + dx, left + LEAST, 1);
  const newBottom = atTop ? bottom : within(bottom + dy, top + LEAST, 1);
  return { left, top, width: newRight - left, height: newBottom - top };
}
