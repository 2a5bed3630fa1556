// Which part of a photo is looked at: by fingers, mouse or keyboard.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Preview } from "../engine/client";
import type { Part } from "../photo/decode";
import { moved, pulled, scaled } from "./frame";
import { Heading, Picture, Trail, useSay } from "./parts";
import { WHOLE } from "./state";

const STEP = 0.02;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

interface Props {
  preview: Preview;
  part: Part;
  /** Least short side of a usable part, px of the file. */
  least: number;
  done: (part: Part) => void;
}

export function Crop({ preview, part: first, least, done }: Props): JSX.Element {
  const say = useSay();
  const [part, setPart] = useState(first);
  const stage = useRef<HTMLDivElement>(null);
  const pointers = useRef(new Map<number, { x: number; y: number; corner: number | null }>());

  const down = (event: PointerEvent): void => {
    const corner = (event.target as HTMLElement).dataset.corner;
    stage.current?.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, {
      x: event.clientX,
      y: event.clientY,
      corner: corner === undefined ? null : Number(corner),
    });
  };
  const move = (event: PointerEvent): void => {
    const here = pointers.current.get(event.pointerId);
    const size = stage.current?.getBoundingClientRect();
    if (!here || !size) return;
    const before = spread(pointers.current);
    const dx = (event.clientX - here.x) / size.width;
    const dy = (event.clientY - here.y) / size.height;
    Object.assign(here, { x: event.clientX, y: event.clientY });
    const after = spread(pointers.current);
    setPart((old) => {
      if (before && after) return moved(scaled(old, after / before), dx / 2, dy / 2);
      return here.corner === null ? moved(old, dx, dy) : pulled(old, here.corner, dx, dy);
    });
  };
  const up = (event: PointerEvent): void => void pointers.current.delete(event.pointerId);
  const key = (event: KeyboardEvent): void => {
    const corner = (event.target as HTMLElement).dataset.corner;
    const arrow = ARROWS[event.key];
    const by = event.key === "+" || event.key === "=" ? 1.08 : event.key === "-" ? 1 / 1.08 : null;
    if (!arrow && by === null) return;
    event.preventDefault();
    setPart((old) => {
      if (!arrow) return scaled(old, by ?? 1);
      return corner === undefined ? moved(old, ...arrow) : pulled(old, Number(corner), ...arrow);
    });
  };

  const short = Math.min(part.width * preview.width, part.height * preview.height);
  return (
    <section>
      <Trail at={0} />
      <Heading>{say("crop.title")}</Heading>
      <p class="lead">{say("crop.lead")}</p>
      <div class="stage-wrap">
        <div
          class="stage"
          ref={stage}
          onPointerDown={down}
          onPointerMove={move}
          onPointerUp={up}
          onPointerCancel={up}
          onKeyDown={key}
        >
          <Picture image={preview.image} label={say("answer.photo_alt")} />
          <div
            class="frame"
            role="group"
            tabIndex={0}
            aria-label={say("crop.frame")}
            aria-describedby="crop-keys"
            style={{ left: pct(part.left), top: pct(part.top), width: pct(part.width), height: pct(part.height) }}
          >
            {[0, 1, 2, 3].map((corner) => (
              <button
                key={corner}
                class={`corner c${corner}`}
                data-corner={corner}
                aria-label={say("crop.corner", { n: corner + 1 })}
              />
            ))}
          </div>
        </div>
      </div>
      <p class="faint pointer-only" id="crop-keys">
        {say("crop.keys")}
      </p>
      {short < least && (
        <p class="bad" role="status">
          {say("crop.small")}
        </p>
      )}
      <div class="row">
        <button onClick={() => setPart((old) => scaled(old, 1 / 1.15))}>{say("crop.smaller")}</button>
        <button onClick={() => setPart((old) => scaled(old, 1.15))}>{say("crop.larger")}</button>
        <button onClick={() => setPart(WHOLE)}>{say("crop.whole")}</button>
      </div>
      <div class="bar">
        <button class="primary" onClick={() => done(part)}>
          {say("crop.done")}
        </button>
      </div>
    </section>
  );
}

const pct = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** How far two fingers are apart; null with one. */
function spread(pointers: Map<number, { x: number; y: number }>): number | null {
  const [a, b] = [...pointers.values()];
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : null;
}
