// The summary for the clinic: printed, or saved as a PDF by the browser. Nothing is sent.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { boxOf } from "../photo/decode";
import { SEXES, YES_NO } from "../screen/context";
import { decisionOf, type Props } from "./Answer";
import { Heading, Picture, useSay } from "./parts";
import { percent } from "./Possible";
import type { PhotoItem } from "./state";

type SummaryProps = Pick<Props, "photos" | "context" | "manifest"> & { label: string };

export function Summary({ photos, context, manifest, label }: SummaryProps): JSX.Element {
  const say = useSay();
  const [withPhoto, setWithPhoto] = useState(false);
  const decision = decisionOf(photos, context);
  const said: [string, string][] = YES_NO.filter((name) => context[name] !== undefined).map((name) => [
    say(`question.${name}`),
    say(context[name] ? "questions.yes" : "questions.no"),
  ]);
  if (context.age !== undefined) said.push([say("question.age"), String(context.age)]);
  if (context.sex && SEXES.includes(context.sex)) said.push([say("question.sex"), say(`question.sex.${context.sex}`)]);
  return (
    <section class="summary">
      <Heading>{say("summary.title")}</Heading>
      <div class="screen-only">
        <p class="lead">{say("summary.lead")}</p>
        <label class="check">
          <input type="checkbox" checked={withPhoto} onChange={(event) => setWithPhoto(event.currentTarget.checked)} />
          <span>{say("summary.with_photo")}</span>
        </label>
        <button class="primary" onClick={() => window.print()}>
          {say("summary.print")}
        </button>
      </div>
      <div class="sheet">
        <Rows
          rows={[
            [say("summary.date"), new Date().toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" })],
            [say("summary.outcome"), `${say(`outcome.${decision.outcome}`)}: ${say(`title.${decision.outcome}`)}`],
          ]}
        />
        <ul>
          {decision.reasons.map((code) => (
            <li key={code}>{say(code)}</li>
          ))}
        </ul>
        <h2>{say("summary.answers")}</h2>
        {said.length ? <Rows rows={said} /> : <p>{say("summary.no_answers")}</p>}
        {photos.map((item, i) => (
          <PhotoRows key={item.id} item={item} n={i + 1} target={manifest.target} withPhoto={withPhoto} />
        ))}
        <h2>{say("summary.model")}</h2>
        <p>
          {label}.{" "}
          {say("summary.points", {
            high: manifest.rule_in.threshold.toFixed(3),
            low: manifest.rule_out.threshold.toFixed(3),
          })}
        </p>
        <p class="disclaimer">{say("disclaimer")}</p>
      </div>
    </section>
  );
}

function PhotoRows({ item, n, target, withPhoto }: { item: PhotoItem; n: number; target: string; withPhoto: boolean }): JSX.Element {
  const say = useSay();
  const { decision, skinTone } = item.screened!;
  const rows: [string, string][] = [[say("summary.photo_outcome"), say(`outcome.${decision.outcome}`)]];
  if (decision.assessed) {
    rows.push([say("summary.likeness"), percent(decision.probabilities[target]!)]);
    rows.push([say("summary.set"), decision.predictionSet.map((name) => say(`class.${name}`)).join(", ") || "–"]);
  }
  if (decision.assessed && skinTone?.ita != null) rows.push([say("summary.tone"), `${say(`tone.${skinTone.group}`)}, ITA ${skinTone.ita.toFixed(0)}°`]);
  const image = item.preview?.image;
  return (
    <div class="one-photo">
      <h2>
        {say("summary.photo")} {n}
      </h2>
      <Rows rows={rows} />
      {!decision.assessed && decision.reasons.map((code) => <p key={code}>{say(code)}</p>)}
      {withPhoto && image && (
        <div class="printed">
          <Picture image={image} box={boxOf(item.part, image.width, image.height)} label={say("answer.photo_alt")} />
        </div>
      )}
    </div>
  );
}

function Rows({ rows }: { rows: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <dl class="rows">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
