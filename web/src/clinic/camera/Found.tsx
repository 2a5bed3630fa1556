// The answer on the camera page, and whether it becomes a referral.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Manifest } from "../../bundle/manifest";
import { boxOf } from "../../photo/decode";
import { photoToSend, SHORT } from "../../referral";
import type { Result } from "../../results/result";
import type { PersonDecision } from "../../screen/decision";
import { steps } from "../../ui/Answer";
import { HeatPicture } from "../../ui/HeatPicture";
import { Picture, Trail, useSay } from "../../ui/parts";
import { Possible } from "../../ui/Possible";
import type { PhotoItem } from "../../ui/state";
import { VerdictHead } from "../../ui/VerdictHead";
import type { ReferralOut } from "../api/types";
import { FileForm, Filed } from "../filing/FileForm";
import type { Judge } from "./useEngine";

interface Props {
  made: { decision: PersonDecision; result: Result; json: string };
  photos: readonly PhotoItem[];
  engine: Judge;
  manifest: Manifest;
  next: () => void;
}

export function Found({ made: { decision, result, json }, photos, engine, manifest, next }: Props): JSX.Element {
  const say = useSay();
  const [filed, setFiled] = useState<ReferralOut | null>(null);
  const { outcome, reasons } = decision;
  const lead = photos[decision.lead]!;
  const sendable = photos.every((item) => item.preview);
  return (
    <div class="found">
      <Trail at={2} />
      <VerdictHead outcome={outcome} answers={result.answers} />
      <div class="halves">
        <div>
          {lead.preview && lead.screened?.heatMap && <HeatPicture item={lead} many={photos.length > 1} />}
          {lead.preview && !lead.screened?.heatMap && (
            <div class="plain-photo">
              <Picture image={lead.preview.image} label={say("answer.photo_alt")} />
            </div>
          )}
          {decision.assessed && <Possible decision={decision} manifest={manifest} />}
        </div>
        <div>
          <div class="panel">
            <h2>{say("answer.why")}</h2>
            <ul class="reasons">
              {reasons.map((code) => (
                <li key={code}>{say(code)}</li>
              ))}
            </ul>
            <h2>{say("answer.next")}</h2>
            <ol class="steps">
              {steps(decision).map((key) => (
                <li key={key}>{say(key)}</li>
              ))}
            </ol>
          </div>
          {filed ? (
            <Filed told={filed} />
          ) : (
            <FileForm json={json} id={result.id} pictures={sendable ? () => pictures(photos, engine) : null} filed={setFiled} />
          )}
          <button class={filed ? "primary wide" : "wide"} onClick={next}>
            {say("station.next")}
          </button>
        </div>
      </div>
      <p class="disclaimer">{say("disclaimer")}</p>
    </div>
  );
}

/** One after the other: a large photo takes much memory while it is open. */
async function pictures(photos: readonly PhotoItem[], engine: Judge): Promise<Blob[]> {
  const found: Blob[] = [];
  for (const { file, part } of photos) {
    const opened = await engine.preview(file, SHORT);
    if (!opened) throw new Error("a photo could not be opened");
    const { image } = opened;
    found.push(await photoToSend(image, boxOf(part, image.width, image.height)));
  }
  return found;
}
