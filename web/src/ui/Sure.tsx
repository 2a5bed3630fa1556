// How sure an answer is, in people and not in per cent (Gigerenzer: natural frequencies).

import type { JSX } from "preact";
import type { Manifest } from "../bundle/manifest";
import type { Outcome } from "../screen/decision";
import { frequencies } from "../screen/frequencies";
import { useSay } from "./parts";

export function Sure({ manifest, outcome, prevalence }: { manifest: Manifest; outcome: Outcome; prevalence: number }): JSX.Element | null {
  const say = useSay();
  const found = frequencies(manifest, outcome, prevalence);
  if (!found) return null;
  const { total, cases, casesTold, others, othersTold, unseen } = found;
  return (
    <div>
      <h2>{say("answer.sure")}</h2>
      <p>{say("answer.sure_text", { total, cases })}</p>
      <People kind="sick" told={casesTold / cases} text={say("answer.sure_cases", { k: casesTold, n: cases })} />
      <People kind="well" told={othersTold / others} text={say("answer.sure_others", { k: othersTold, n: others })} />
      {unseen && <p class="faint">{say("answer.unseen", { low: unseen[0], high: unseen[1] })}</p>}
    </div>
  );
}

/** A hundred dots, those that are told this answer filled. */
function People({ kind, told, text }: { kind: string; told: number; text: string }): JSX.Element {
  const filled = told > 0 ? Math.max(1, Math.round(100 * told)) : 0;
  return (
    <div class={`people ${kind}`}>
      <svg viewBox="0 0 250 40" aria-hidden="true">
        {Array.from({ length: 100 }, (_, i) => (
          <circle key={i} cx={(i % 25) * 10 + 5} cy={Math.floor(i / 25) * 10 + 5} r="3.6" class={i < filled ? "on" : ""} />
        ))}
      </svg>
      <b>{text}</b>
    </div>
  );
}
