// Photos of one person: taken or chosen, each with what is wrong with it.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Manifest } from "../bundle/manifest";
import { hasCamera } from "../camera/stream";
import { boxOf } from "../photo/decode";
import { later } from "./later";
import { Heading, Icon, type IconName, Picture, Trail, useSay } from "./parts";
import { MAX_PHOTOS, type PhotoItem } from "./state";

const Camera = later(async () => (await import("./Camera")).Camera);

const TIPS: readonly IconName[] = ["near", "light", "sharp"];

interface Props {
  photos: readonly PhotoItem[];
  /** What a photo is held to; null while the model loads. */
  limits: Manifest["gate"]["quality"] | null;
  add: (files: readonly File[]) => void;
  crop: (id: number) => void;
  remove: (id: number) => void;
  next: () => void;
}

export function Photos({ photos, limits, add, crop, remove, next }: Props): JSX.Element {
  const say = useSay();
  const [over, setOver] = useState(false);
  const [live, setLive] = useState(false);
  // On a desk "take" would only open the same dialog as "choose".
  const camera = matchMedia("(any-pointer: coarse)").matches;
  const full = photos.length >= MAX_PHOTOS;
  const waiting = photos.some((item) => !item.screened);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    add([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <section>
      <Trail at={0} />
      <Heading>{say("photos.title")}</Heading>
      <p class="lead">{say("photos.lead")}</p>
      {photos.length > 0 && (
        <ul class="photos">
          {photos.map((item, i) => (
            <Card key={item.id} item={item} n={i + 1} crop={() => crop(item.id)} remove={() => remove(item.id)} />
          ))}
        </ul>
      )}
      {full ? (
        <p>{say("photos.most", { n: MAX_PHOTOS })}</p>
      ) : (
        <div
          class={over ? "drop over" : "drop"}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <ul class="tips">
            {TIPS.map((tip) => (
              <li key={tip}>
                <Icon name={tip} />
                {say(`photos.tip.${tip}`)}
              </li>
            ))}
          </ul>
          <div class="row">
            {camera && <Pick icon="camera" label={say("photos.take")} primary={!photos.length} capture add={add} />}
            <Pick icon="picture" label={say("photos.choose")} primary={!camera && !photos.length} add={add} />
            {hasCamera() && (
              <button onClick={() => setLive(true)}>
                <Icon name="sharp" />
                {say("camera.open")}
              </button>
            )}
          </div>
          <small class="pointer-only">{say("photos.drop")}</small>
        </div>
      )}
      {live && (
        <Camera
          limits={limits}
          close={() => setLive(false)}
          done={(file) => {
            setLive(false);
            add([file]);
          }}
        />
      )}
      <p class="note">{say("photos.consent")}</p>
      {photos.length > 0 && (
        <div class="bar">
          <button class="primary" disabled={waiting} onClick={next}>
            {say("app.next")}
          </button>
        </div>
      )}
    </section>
  );
}

interface PickProps {
  icon: IconName;
  label: string;
  primary?: boolean;
  capture?: boolean;
  add: (files: readonly File[]) => void;
}

function Pick({ icon, label, primary, capture, add }: PickProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button class={primary ? "primary" : ""} onClick={() => input.current?.click()}>
        <Icon name={icon} />
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept="image/*"
        multiple={!capture}
        {...(capture ? { capture: "environment" as const } : {})}
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = ""; // so that the same photo can be chosen again
        }}
      />
    </>
  );
}

function Card({ item, n, crop, remove }: { item: PhotoItem; n: number; crop: () => void; remove: () => void }): JSX.Element {
  const say = useSay();
  const { preview, screened, part } = item;
  const name = say("photos.number", { n });
  const refused = screened?.decision.outcome === "cannot_assess";
  return (
    <li class="card photo">
      <div class="thumb">
        {preview && (
          <Picture image={preview.image} box={boxOf(part, preview.image.width, preview.image.height)} label={name} />
        )}
      </div>
      <div>
        <b>{name}</b>
        <div aria-live="polite">
          {!screened && <p class="faint busy">{say(preview ? "photos.looking" : "photos.opening")}</p>}
          {screened && !refused && (
            <p class="good">
              <Icon name="good" />
              {say("photos.good")}
            </p>
          )}
          {refused && (
            <>
              <p class="bad">
                <Icon name="cannot_assess" />
                {say("photos.bad")}
              </p>
              <p>{say(screened.decision.reasons[0]!)}</p>
            </>
          )}
        </div>
      </div>
      <div class="row small">
        {preview && screened && (
          <button class="plain" onClick={crop} aria-label={`${say("photos.crop")}: ${name}`}>
            {say("photos.crop")}
          </button>
        )}
        <button class="plain" onClick={remove} aria-label={`${say("photos.remove")}: ${name}`}>
          {say("photos.remove")}
        </button>
      </div>
    </li>
  );
}
