// Photos of one person: the camera, and what was taken with how good it is.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Heading, Icon, Picture, Trail, useSay } from "../../ui/parts";
import { MAX_PHOTOS, type PhotoItem } from "../../ui/state";
import { Finder } from "./Finder";
import type { Judge } from "./useEngine";

interface Props {
  photos: readonly PhotoItem[];
  engine: Judge;
  add: (file: File) => void;
  remove: (id: number) => void;
  next: () => void;
}

export function Taking({ photos, engine, add, remove, next }: Props): JSX.Element {
  const say = useSay();
  const [looking, setLooking] = useState(!photos.length);
  const ready = photos.length > 0 && photos.every((item) => item.screened);
  return (
    <div class="taking">
      <Trail at={0} />
      <Heading>{say(looking ? "camera.title" : "photos.title")}</Heading>
      {looking && (
        <Finder
          limits={engine.ready?.manifest.gate.quality ?? null}
          taken={(file) => {
            add(file);
            setLooking(false);
          }}
        />
      )}
      {!looking && !photos.length && <p>{say("photos.need")}</p>}
      {!looking && (
        <>
          <ul class="taken">
            {photos.map((item, i) => (
              <Taken key={item.id} item={item} number={i + 1} remove={() => remove(item.id)} />
            ))}
          </ul>
          <div class="row">
            <button class="primary" disabled={!ready} onClick={next}>
              {say("app.next")}
            </button>
            {photos.length < MAX_PHOTOS && (
              <button onClick={() => setLooking(true)}>
                <Icon name="camera" />
                {say(photos.length ? "station.more" : "photos.take")}
              </button>
            )}
          </div>
        </>
      )}
      {looking && photos.length > 0 && <button onClick={() => setLooking(false)}>{say("station.enough", { n: photos.length })}</button>}
    </div>
  );
}

function Taken({ item, number, remove }: { item: PhotoItem; number: number; remove: () => void }): JSX.Element {
  const say = useSay();
  const decision = item.screened?.decision;
  const failed = decision ? decision.reasons.filter((code) => /^(quality|unreadable|novel)\./.test(code)) : [];
  return (
    <li class="panel">
      {item.preview && <Picture image={item.preview.image} label={say("photos.number", { n: number })} />}
      <div aria-live="polite">
        {!decision && <p class="busy">{say("photos.looking")}</p>}
        {decision && (
          <p class={failed.length ? "bad" : "good"}>
            <Icon name={failed.length ? "cannot_assess" : "good"} />
            {say(failed.length ? "photos.bad" : "photos.good")}
          </p>
        )}
        {failed.map((code) => (
          <p key={code}>{say(code)}</p>
        ))}
      </div>
      <button class="plain" aria-label={`${say("photos.remove")}: ${say("photos.number", { n: number })}`} onClick={remove}>
        {say("photos.remove")}
      </button>
    </li>
  );
}
