// The questionnaire's answers, in its order; what was not answered is not shown.

import type { JSX } from "preact";
import { useSay } from "../../ui/parts";
import questionnaire from "../../questions/questionnaire.json";
import type { Detail } from "../api/types";

export function AnswerList({ detail }: { detail: Detail }): JSX.Element {
  const say = useSay();
  const shown = (linkId: string, value: unknown): string => {
    const word = (code: unknown): string => say(`question.${linkId}.${String(code)}`);
    if (typeof value === "boolean") return say(value ? "questions.yes" : "questions.no");
    if (typeof value === "number") return say("summary.years", { n: value });
    return Array.isArray(value) ? value.map(word).join(", ") : word(value);
  };
  const rows = questionnaire.item.filter(({ linkId }) => detail.answers[linkId] !== undefined && detail.answers[linkId] !== null);
  return (
    <div class="panel">
      <h2>{say("answers.title")}</h2>
      {rows.length ? (
        <dl class="rows">
          {rows.map(({ linkId }) => (
            <div key={linkId}>
              <dt>{say(`question.${linkId}`)}</dt>
              <dd>{shown(linkId, detail.answers[linkId])}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <p>{say("summary.no_answers")}</p>
      )}
      <p class="faint">
        {say(detail.photo_consent ? "answers.photo_yes" : "answers.photo_no")} {say(detail.training_consent ? "answers.training_yes" : "answers.training_no")}
      </p>
    </div>
  );
}
