// Small pieces that several steps share.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { createContext } from "preact";
import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import { type Say, sayWith } from "../messages";
import { type Box, type Pixels } from "../photo/pixels";

export const Words = createContext<Say>(sayWith({}));
export const useSay = (): Say => useContext(Words);

/** A step's heading; it takes the focus, so that a screen reader starts where the eye does. */
export function Heading({ children }: { children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  // Before the step can be used: later it would take the focus from whoever was quick.
  useLayoutEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

const PATHS = {
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5 11h14v10H5zM12 15v2",
  plane: "M3 12h18M12 3a14 14 0 0 1 0 18M12 3a14 14 0 0 0 0 18M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M4 4l16 16",
  aid: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8v5M12 16.5v.01",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9v.01",
  near: "M4 12h16M8 8l-4 4 4 4M16 8l4 4-4 4",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
  sharp: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  refer: "M12 3l9 17H3zM12 9v5M12 17v.01",
  uncertain: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.8v.01",
  not_suspected: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12h8",
  cannot_assess: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6M4 4l16 16",
  good: "M5 12.5l4.5 4.5L19 7.5",
  back: "M15 5l-7 7 7 7",
} as const;

export type IconName = keyof typeof PATHS;

/** `turns` for an icon that points somewhere, so that it points the other way where writing runs from the right. */
export function Icon({ name, turns }: { name: IconName; turns?: boolean }): JSX.Element {
  return (
    <svg class={turns ? "icon turns" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Gives a canvas's memory back as it goes: iOS keeps it until its size is 0. */
export function useReleased(canvas: RefObject<HTMLCanvasElement | null>): void {
  useLayoutEffect(() => {
    const drawn = canvas.current;
    return () => void (drawn && (drawn.width = drawn.height = 0));
  }, []);
}

/** A photo, or a part of it, drawn into a canvas as wide as its place. */
export function Picture({ image, box, label }: { image: Pixels; box?: Box; label: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { left, top, width, height } = box ?? { left: 0, top: 0, width: image.width, height: image.height };
  useLayoutEffect(() => {
    const data = new ImageData(image.data as Uint8ClampedArray<ArrayBuffer>, image.width, image.height);
    canvas.current?.getContext("2d")?.putImageData(data, -left, -top, left, top, width, height);
  }, [image, left, top, width, height]);
  useReleased(canvas);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}

/** Two or three steps in a line, the current one told to screen readers by the page's title. */
export function Trail({ at }: { at: number }): JSX.Element {
  return (
    <div class="trail" aria-hidden="true">
      {[0, 1, 2].map((n) => (
        <i key={n} class={n <= at ? "done" : ""} />
      ))}
    </div>
  );
}
