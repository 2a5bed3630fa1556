// The deciding photo under its heat map, with a slider between the two.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { boxOf } from "../photo/decode";
import { layer } from "../screen/overlay";
import { Picture, useReleased, useSay } from "./parts";
import type { PhotoItem } from "./state";

const SIDE = 448;

export function HeatPicture({ item, many }: { item: PhotoItem; many: boolean }): JSX.Element {
  const say = useSay();
  const [strength, setStrength] = useState(60);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { preview, screened, part } = item;
  const map = screened!.heatMap!;
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(layer(map, SIDE), SIDE, SIDE), 0, 0);
  }, [map]);
  useReleased(canvas);
  const [left, top, width, height] = screened!.seen!.map((share) => `${100 * share}%`);
  const image = preview!.image;
  return (
    <figure class="heat">
      <h2>{say("answer.map")}</h2>
      <div class="under">
        <Picture image={image} box={boxOf(part, image.width, image.height)} label={say("answer.photo_alt")} />
        <canvas
          ref={canvas}
          class="over"
          width={SIDE}
          height={SIDE}
          role="img"
          aria-label={say("answer.map_alt")}
          style={{ left, top, width, height, opacity: strength / 100 }}
        />
      </div>
      <label class="slider">
        <span>{say("answer.map_slider")}</span>
        <input
          type="range"
          min="0"
          max="100"
          value={strength}
          onInput={(event) => setStrength(Number(event.currentTarget.value))}
        />
      </label>
      {screened!.unstable && <p class="note">{say("map.unstable")}</p>}
      <figcaption>
        {many && `${say("answer.deciding")} `}
        {say("answer.map_text")}
      </figcaption>
    </figure>
  );
}
