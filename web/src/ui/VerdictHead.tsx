// The answer in one sentence, and under it why this person needs care at once; the same on the phone and at the clinic.

import type { JSX } from "preact";
import { type Answers, dangers } from "../questions/answers";
import type { Outcome } from "../screen/decision";
import { Heading, Icon, useSay } from "./parts";

export function VerdictHead({ outcome, answers }: { outcome: Outcome; answers: Answers }): JSX.Element {
  const say = useSay();
  const grave = dangers(answers);
  return (
    <>
      <div class={`verdict ${outcome}`}>
        <Icon name={outcome} />
        <div>
          <Heading>{say(`title.${outcome}`)}</Heading>
          <p>{say(`subtitle.${outcome}`)}</p>
        </div>
      </div>
      {grave.length > 0 && (
        <div class="note urgent danger-note">
          <Icon name="refer" />
          <span>
            <b>{say("danger.title")}</b> {say("danger.text", { list: grave.map((name) => say(`danger.${name}`)).join(", ") })}
          </span>
        </div>
      )}
    </>
  );
}
