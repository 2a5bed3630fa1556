// How large and where a photo lies in its frame.

export interface View {
  /** 1 shows all of it. */
  scale: number;
  /** px that its middle is moved by. */
  x: number;
  y: number;
}

export const FITTED: View = { scale: 1, x: 0, y: 0 };
export const NEAREST = 8;

/** Larger or smaller around the middle of the frame; never smaller than all of it. */
export function zoomed({ scale, x, y }: View, by: number): View {
  const next = Math.min(NEAREST, Math.max(1, scale * by));
  if (next < 1.01) return FITTED;
  return { scale: next, x: (x * next) / scale, y: (y * next) / scale };
}

/** Moved, but never out of the frame. @param size of the frame, px */
export function moved({ scale, x, y }: View, dx: number, dy: number, [width, height]: readonly [number, number]): View {
  const within = (value: number, side: number): number => {
    const most = ((scale - 1) * side) / 2;
    return Math.min(most, Math.max(-most, value)) + 0; // never -0
  };
  return { scale, x: within(x + dx, width), y: within(y + dy, height) };
}
