// What the model said of a photo, or that it is kept back until the clinician has said what they think.

import type { JSX } from "preact";
import { percent } from "../../ui/Possible";
import { Icon, useSay } from "../../ui/parts";
import type { Detail } from "../api/types";

export function Opinion({ detail, at }: { detail: Detail; at: number }): JSX.Element {
  const say = useSay();
  const photo = detail.photo_results[at]!;
  if (detail.blind)
    return (
      <div class="panel kept-back">
        <Icon name="cannot_assess" />
        <div>
          <h2>{say("blind.title")}</h2>
          <p>{say("blind.text")}</p>
        </div>
      </div>
    );
  const likeness = Object.entries(photo.probabilities).sort(([, a], [, b]) => b - a);
  const reasons = photo.reasons.length ? photo.reasons : detail.reasons;
  return (
    <div class="panel">
      <h2>{say("opinion.title")}</h2>
      {photo.outcome && (
        <p class={`spoken ${photo.outcome}`}>
          <Icon name={photo.outcome} />
          <b>{say(`outcome.${photo.outcome}`)}</b>
          {detail.deciding_photo === photo.number && detail.photo_results.length > 1 && <span class="faint">{say("opinion.deciding")}</span>}
        </p>
      )}
      <ul class="reasons">
        {[...new Set([...reasons, ...detail.reasons.filter((code) => code.startsWith("context."))])].map((code) => (
          <li key={code}>{say(code)}</li>
        ))}
      </ul>
      {likeness.length > 0 && (
        <dl class="shares">
          {likeness.map(([name, p]) => (
            <div key={name}>
              <dt>
                {say(`class.${name}`)}
                {photo.prediction_set.includes(name) && <small> {say("opinion.possible")}</small>}
              </dt>
              <dd>
                <i style={{ width: `${100 * p}%` }} />
                <span>{percent(p)}</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {photo.map_unstable && <p class="faint">{say("map.unstable")}</p>}
      <p class="faint small-print">{say("opinion.bundle", { bundle: detail.bundle })}</p>
    </div>
  );
}
