// Photos and privacy: the policy that a person agrees to, in plain words. Its edition is in every Consent (fhir/codes).

import type { JSX } from "preact";
import { Heading, useSay } from "./parts";

const POINTS = ["stay", "ask", "minor", "intimate", "clinic", "kept"] as const;

export function Policy(): JSX.Element {
  const say = useSay();
  return (
    <section class="policy">
      <Heading>{say("policy.title")}</Heading>
      {POINTS.map((point) => (
        <div key={point}>
          <h2>{say(`policy.${point}.title`)}</h2>
          <p>{say(`policy.${point}.text`)}</p>
        </div>
      ))}
      <p class="disclaimer">{say("disclaimer")}</p>
    </section>
  );
}
