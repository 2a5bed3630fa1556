// The prediction set in plain words, and the likeness by condition.

import type { JSX } from "preact";
import type { Manifest } from "../bundle/manifest";
import type { PersonDecision } from "../screen/decision";
import { useSay } from "./parts";

export function Possible({ decision, manifest }: { decision: PersonDecision; manifest: Manifest }): JSX.Element {
  const say = useSay();
  const { probabilities, predictionSet } = decision;
  const ordered = [...manifest.classes].sort((a, b) => probabilities[b]! - probabilities[a]!);
  return (
    <div>
      <h2>{say("answer.set")}</h2>
      {predictionSet.length ? (
        <>
          <ul class="chips">
            {predictionSet.map((name) => (
              <li key={name}>{say(`class.${name}`)}</li>
            ))}
          </ul>
          <p class="faint">{say("answer.set_text")}</p>
        </>
      ) : (
        <p>{say("answer.set_none")}</p>
      )}
      <details>
        <summary>{say("answer.shares")}</summary>
        <dl class="shares">
          {ordered.map((name) => (
            <div key={name}>
              <dt>{say(`class.${name}`)}</dt>
              <dd>
                <i style={{ width: `${100 * probabilities[name]!}%` }} />
                <span>{percent(probabilities[name]!)}</span>
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

/** Never 0 % nor 100 %: a model is not certain. */
export const percent = (p: number): string => (p < 0.01 ? "< 1 %" : p > 0.99 ? "> 99 %" : `${Math.round(100 * p)} %`);
