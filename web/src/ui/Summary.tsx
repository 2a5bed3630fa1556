// The summary for the clinic: printed, saved, or shown as a code. Nothing is sent.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { boxOf } from "../photo/decode";
import type { Result } from "../results/result";
import { Tick } from "./Choice";
import { later } from "./later";
import { Heading, Picture, useSay } from "./parts";
import { saveResult } from "./save";
import { Sheet } from "./Sheet";
import type { PhotoItem } from "./state";
import type { EngineState } from "./useEngine";

const Send = later(async () => (await import("./Send")).Send);
const Code = later(async () => (await import("./Code")).Code);

interface Props {
  result: Result;
  /** The FHIR Bundle's JSON. */
  json: string;
  photos: readonly PhotoItem[];
  /** Origin of the clinic's server, where the deployment has one. */
  clinic: string | null;
  open: EngineState["preview"];
}

export function Summary({ result, json, photos, clinic, open }: Props): JSX.Element {
  const say = useSay();
  const [withPhoto, setWithPhoto] = useState(false);
  const picture = (index: number): JSX.Element | null => {
    const item = photos[index];
    const image = item?.preview?.image;
    if (!withPhoto || !item || !image) return null;
    return (
      <div class="printed">
        <Picture image={image} box={boxOf(item.part, image.width, image.height)} label={say("answer.photo_alt")} />
      </div>
    );
  };
  return (
    <section class="summary">
      <Heading>{say("summary.title")}</Heading>
      <p class="lead screen-only">{say("summary.lead")}</p>
      <div class="card handover">
        <div>
          <h2>{say("qr.title")}</h2>
          <p class="screen-only">{say("qr.text", { page: say("reader.title") })}</p>
        </div>
        <Code json={json} />
      </div>
      <div class="screen-only">
        <Tick name="with-photo" label={say("summary.with_photo")} checked={withPhoto} set={setWithPhoto} />
        <div class="row">
          <button class="primary" onClick={() => window.print()}>
            {say("summary.print")}
          </button>
          <button onClick={() => saveResult(json, result)}>{say("results.save")}</button>
        </div>
      </div>
      {clinic && (
        <div class="screen-only">
          <Send clinic={clinic} result={result} json={json} photos={photos} open={open} />
        </div>
      )}
      <Sheet result={result} picture={picture} />
    </section>
  );
}
