// The answer: one sentence, why, what to do next, how sure, and what in the photo spoke for it.

import type { JSX } from "preact";
import type { Manifest } from "../bundle/manifest";
import type { Answers } from "../questions/answers";
import type { Result } from "../results/result";
import { overriding } from "../screen/context";
import type { PersonDecision } from "../screen/decision";
import { HeatPicture } from "./HeatPicture";
import { Keep } from "./Keep";
import { Lesions } from "./Lesions";
import { Trail, useSay } from "./parts";
import { Possible } from "./Possible";
import type { PhotoItem } from "./state";
import { Sure } from "./Sure";
import { VerdictHead } from "./VerdictHead";

interface Props {
  decision: PersonDecision;
  photos: readonly PhotoItem[];
  answers: Answers;
  result: Result;
  /** The FHIR Bundle's JSON. */
  json: string;
  manifest: Manifest;
  prevalence: number;
  more: () => void;
  change: () => void;
  summary: () => void;
  results: () => void;
  reset: () => void;
}

/** Keys of what to do next, first things first. */
export function steps({ outcome, readable }: PersonDecision): string[] {
  const counts = { refer: 3, uncertain: 4, not_suspected: 3, cannot_assess: 3 };
  const all = Array.from({ length: counts[outcome] }, (_, i) => `next.${outcome}.${i + 1}`);
  return outcome === "cannot_assess" && !readable ? ["next.unreadable", ...all.slice(1)] : all;
}

export function Answer(props: Props): JSX.Element {
  const { decision, photos, answers, manifest, prevalence } = props;
  const say = useSay();
  const { outcome, reasons } = decision;
  const lead = photos[decision.lead]!;
  const fromContext = overriding(answers).includes(reasons[0]!);
  return (
    <section class="answer">
      <Trail at={2} />
      <VerdictHead outcome={outcome} answers={answers} />
      <div class="columns">
        <div>
          <h2>{say("answer.next")}</h2>
          <ol class="steps">
            {steps(decision).map((key) => (
              <li key={key}>{say(key)}</li>
            ))}
          </ol>
          {(outcome === "refer" || outcome === "uncertain") && (
            <p class="now">
              <button class="primary" onClick={props.summary}>
                {say("answer.summary")}
              </button>
            </p>
          )}
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
      <h2>{say("lesions.title")}</h2>
      <Lesions where={answers.where} />
      <p class="disclaimer">{say("disclaimer")}</p>
      <Keep result={props.result} json={props.json} open={props.results} />
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
