// The answer: one sentence, why, what to do next, how sure, and what in the photo spoke for it.

import type { JSX } from "preact";
import type { Manifest } from "../bundle/manifest";
import { type Context, overriding } from "../screen/context";
import { combine, type PersonDecision } from "../screen/decision";
import { HeatPicture } from "./HeatPicture";
import { Heading, Icon, Trail, useSay } from "./parts";
import { Possible } from "./Possible";
import type { PhotoItem } from "./state";
import { Sure } from "./Sure";

export interface Props {
  photos: readonly PhotoItem[];
  context: Context;
  manifest: Manifest;
  prevalence: number;
  more: () => void;
  change: () => void;
  summary: () => void;
  reset: () => void;
}

/** The person's decision; every photo has been looked at. */
export const decisionOf = (photos: readonly PhotoItem[], context: Context): PersonDecision =>
  combine(photos.map((item) => item.screened!.decision), context);

/** Keys of what to do next, first things first. */
export function steps({ outcome, readable }: PersonDecision): string[] {
  const counts = { refer: 3, uncertain: 4, not_suspected: 3, cannot_assess: 3 };
  const all = Array.from({ length: counts[outcome] }, (_, i) => `next.${outcome}.${i + 1}`);
  return outcome === "cannot_assess" && !readable ? ["next.unreadable", ...all.slice(1)] : all;
}

export function Answer(props: Props): JSX.Element {
  const { photos, context, manifest, prevalence } = props;
  const say = useSay();
  const decision = decisionOf(photos, context);
  const { outcome, reasons } = decision;
  const lead = photos[decision.lead]!;
  const fromContext = overriding(context).includes(reasons[0]!);
  return (
    <section class="answer">
      <Trail at={2} />
      <div class={`verdict ${outcome}`}>
        <Icon name={outcome} />
        <div>
          <Heading>{say(`title.${outcome}`)}</Heading>
          <p>{say(`subtitle.${outcome}`)}</p>
        </div>
      </div>
      <div class="columns">
        <div>
          <h2>{say("answer.next")}</h2>
          <ol class="steps">
            {steps(decision).map((key) => (
              <li key={key}>{say(key)}</li>
            ))}
          </ol>
          <h2>{say("answer.why")}</h2>
          <ul class="reasons">
            {reasons.map((code) => (
              <li key={code}>{say(code)}</li>
            ))}
          </ul>
          {fromContext ? (
            <p class="note">{say("answer.from_context")}</p>
          ) : (
            <Sure manifest={manifest} outcome={outcome} prevalence={prevalence} />
          )}
        </div>
        <div>
          {lead.preview && lead.screened?.heatMap && <HeatPicture item={lead} many={photos.length > 1} />}
          {decision.assessed && <Possible decision={decision} manifest={manifest} />}
        </div>
      </div>
      <p class="disclaimer">{say("disclaimer")}</p>
      <div class="row end">
        <button class="primary" onClick={props.summary}>
          {say("answer.summary")}
        </button>
        <button onClick={props.more}>{say("answer.again")}</button>
        <button onClick={props.change}>{say("answer.change")}</button>
        <button onClick={props.reset}>{say("answer.new")}</button>
      </div>
    </section>
  );
}
