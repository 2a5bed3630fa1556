// A photo to look into: larger and smaller, moved about, with the heat map over it where one asks for it.

import type { JSX, TargetedEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { get } from "../api/client";
import type { Detail, Explanation } from "../api/types";
import { Told, useWork } from "../faults";
import { FITTED, moved, type View, zoomed } from "./zoom";

const STEP = 1.5;
const TALLEST = "min(70dvh, 36rem)";
const MOVE = 60; // px an arrow key moves the photo

interface Props {
  detail: Detail;
  /** Index of the photo. */
  at: number;
  choose: (at: number) => void;
}

export function PhotoView({ detail, at, choose }: Props): JSX.Element {
  const say = useSay();
  const photo = detail.photo_results[at]!;
  const many = detail.photo_results.length;
  return (
    <div class="viewer">
      {photo.available ? <Available detail={detail} at={at} /> : <p class="nothing">{say(detail.photo_consent ? "photo.deleted" : "photo.not_sent")}</p>}
      {many > 1 && (
        <div class="views" role="group" aria-label={say("photo.choose")}>
          {detail.photo_results.map((one, i) => (
            <button key={one.number} aria-pressed={i === at} onClick={() => choose(i)}>
              {say("photos.number", { n: one.number })}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Available({ detail, at }: { detail: Detail; at: number }): JSX.Element {
  const say = useSay();
  const [view, setView] = useState<View>(FITTED);
  const [strength, setStrength] = useState(60);
  const [explained, setExplained] = useState<Explanation | null>(null);
  const [broken, setBroken] = useState(false);
  const [ratio, setRatio] = useState(1); // width to height, so that the frame is as the photo
  const { busy, fault, run } = useWork();
  const stage = useRef<HTMLDivElement>(null);
  const address = `/worklist/${detail.id}/photos/${at + 1}`;
  useWheel(stage, setView);
  const key = (event: KeyboardEvent): void => {
    const by: Record<string, (now: View) => View> = {
      "+": (now) => zoomed(now, STEP),
      "=": (now) => zoomed(now, STEP),
      "-": (now) => zoomed(now, 1 / STEP),
      "0": () => FITTED,
      ArrowLeft: (now) => moved(now, MOVE, 0, sizeOf(stage.current)),
      ArrowRight: (now) => moved(now, -MOVE, 0, sizeOf(stage.current)),
      ArrowUp: (now) => moved(now, 0, MOVE, sizeOf(stage.current)),
      ArrowDown: (now) => moved(now, 0, -MOVE, sizeOf(stage.current)),
    };
    const change = by[event.key];
    if (!change || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setView(change);
  };
  const drag = (event: PointerEvent): void => {
    if (event.buttons !== 1 || view.scale === 1) return;
    setView((now) => moved(now, event.movementX, event.movementY, sizeOf(stage.current)));
  };
  const measured = ({ currentTarget: { naturalWidth, naturalHeight } }: TargetedEvent<HTMLImageElement>): void =>
    setRatio(naturalWidth / Math.max(1, naturalHeight));
  const box = explained?.heatmap_box;
  return (
    <>
      <div
        ref={stage}
        class={view.scale > 1 ? "frame-photo near" : "frame-photo"}
        style={{ aspectRatio: ratio, maxWidth: `calc(${TALLEST} * ${ratio})` }}
        tabIndex={0}
        role="group"
        aria-label={say("photo.stage")}
        onKeyDown={key}
        onPointerDown={(event) => view.scale > 1 && event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onDblClick={() => setView((now) => (now.scale > 1 ? FITTED : zoomed(now, STEP * STEP)))}
      >
        {broken ? (
          <p class="nothing">{say("photo.broken")}</p>
        ) : (
          <div class="under" style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}>
            <img src={`/v1${address}`} alt={say("photo.alt", { n: at + 1 })} draggable={false} onLoad={measured} onError={() => setBroken(true)} />
            {explained?.heatmap && box && (
              <img
                class="over"
                src={explained.heatmap}
                alt={say("photo.map_alt")}
                draggable={false}
                style={{ left: `${100 * box[0]!}%`, top: `${100 * box[1]!}%`, width: `${100 * box[2]!}%`, height: `${100 * box[3]!}%`, opacity: strength / 100 }}
              />
            )}
          </div>
        )}
      </div>
      <div class="row tools">
        <button aria-label={say("photo.nearer")} title={say("photo.nearer")} onClick={() => setView((now) => zoomed(now, STEP))}>
          +
        </button>
        <button aria-label={say("photo.farther")} title={say("photo.farther")} disabled={view.scale === 1} onClick={() => setView((now) => zoomed(now, 1 / STEP))}>
          −
        </button>
        <button disabled={view.scale === 1} onClick={() => setView(FITTED)}>
          {say("photo.whole")}
        </button>
        <span class="grow" />
        {!detail.blind && !explained && (
          <button disabled={busy} onClick={() => void run(async () => setExplained(await get<Explanation>(`${address}/explanation`)))}>
            {say(busy ? "lock.working" : "photo.map")}
          </button>
        )}
      </div>
      {explained && !explained.heatmap && <p class="note">{say("photo.no_map")}</p>}
      {explained?.heatmap && (
        <label class="slider">
          <span>{say("answer.map_slider")}</span>
          <input type="range" min="0" max="100" value={strength} onInput={(event) => setStrength(Number(event.currentTarget.value))} />
        </label>
      )}
      {explained?.heatmap_warning && <p class="note">{say("map.unstable")}</p>}
      {explained && explained.bundle !== detail.bundle && <p class="faint">{say("photo.other_bundle", { bundle: explained.bundle })}</p>}
      <Told fault={fault} />
    </>
  );
}

const sizeOf = (stage: HTMLElement | null): readonly [number, number] => [stage?.clientWidth ?? 0, stage?.clientHeight ?? 0];

/** The wheel with Ctrl, which is also two fingers on a touch pad; alone it scrolls the page. Preact's listener is passive. */
function useWheel(stage: { current: HTMLDivElement | null }, setView: (change: (now: View) => View) => void): void {
  useLayoutEffect(() => {
    const shown = stage.current;
    const turned = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      setView((now) => zoomed(now, Math.exp(-event.deltaY / 200)));
    };
    shown?.addEventListener("wheel", turned, { passive: false });
    return () => shown?.removeEventListener("wheel", turned);
  }, []);
}
