// A result as a clinician reads it: on the summary, on the reader page and among the kept results.

import type { ComponentChildren, JSX } from "preact";
import { type Answers, asked, dangers } from "../questions/answers";
import questionnaire from "../questions/questionnaire.json";
import type { PhotoResult, Result } from "../results/result";
import { Icon, useSay } from "./parts";
import { percent } from "./Possible";

type Row = readonly [name: string, value: string];

/** `picture` gives what stands beside the photo of an index. */
export function Sheet({ result, picture }: { result: Result; picture?: (index: number) => ComponentChildren }): JSX.Element {
  const say = useSay();
  const { outcome, answers } = result;
  const said = answerRows(answers, say);
  const grave = dangers(answers);
  return (
    <div class="sheet">
      <div class={`verdict ${outcome}`}>
        <Icon name={outcome} />
        <div>
          <p class="faint">{say(`outcome.${outcome}`)}</p>
          <h2>{say(`title.${outcome}`)}</h2>
        </div>
      </div>
      <ul>
        {result.reasons.map((code) => (
          <li key={code}>{say(code)}</li>
        ))}
      </ul>
      <Rows rows={headRows(result, say)} />
      {grave.length > 0 && (
        <p class="note">
          <b>{say("summary.danger")}:</b> {grave.map((name) => say(`danger.${name}`)).join(", ")}
        </p>
      )}
      <h2>{say("summary.answers")}</h2>
      {said.length ? <Rows rows={said} /> : <p>{say("summary.no_answers")}</p>}
      {result.photos.map((photo, i) => (
        <div class="one-photo" key={i}>
          <h2>
            {say("summary.photo")} {i + 1}
          </h2>
          <Photo photo={photo} target={result.target} decided={i === result.deciding && result.photos.length > 1} />
          {picture?.(i)}
        </div>
      ))}
      <h2>{say("summary.model")}</h2>
      <p class="model">
        {result.model}. {say("summary.points", { high: result.limits.ruleIn.toFixed(3), low: result.limits.ruleOut.toFixed(3) })}
      </p>
      <p class="disclaimer">{say("disclaimer")}</p>
    </div>
  );
}

type Say = ReturnType<typeof useSay>;

function headRows({ made, outcome, agreement, id }: Result, say: Say): Row[] {
  const rows: Row[] = [
    [say("summary.date"), shownTime(made)],
    [say("summary.request"), say(outcome === "refer" ? "request.test" : outcome === "not_suspected" ? "request.none" : "request.examination")],
  ];
  if (agreement) {
    const place = agreement.intimate ? `, ${say("agreement.intimate")}` : "";
    rows.push([say("summary.agreement"), say(`agreement.${agreement.by}`) + place]);
  }
  return [...rows, [say("summary.number"), id.slice(0, 8).toUpperCase()]];
}

/** The time of the place where it was made, whatever this device's zone is. */
export const shownTime = (made: string): string =>
  new Date(`${made.slice(0, 19)}Z`).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

function answerRows(answers: Answers, say: Say): Row[] {
  return questionnaire.item.flatMap(({ linkId }): Row[] => {
    const value = answers[linkId as keyof Answers];
    if (value === undefined || !asked(linkId, answers)) return [];
    const word = (code: string): string => say(`question.${linkId}.${code}`);
    const shown =
      typeof value === "boolean" ? say(value ? "questions.yes" : "questions.no")
      : typeof value === "number" ? say("summary.years", { n: value })
      : typeof value === "string" ? word(value)
      : value.map(word).join(", ");
    return [[say(`question.${linkId}`), shown]];
  });
}

function Photo({ photo, target, decided }: { photo: PhotoResult; target: string; decided: boolean }): JSX.Element {
  const say = useSay();
  const assessed = photo.outcome !== "cannot_assess";
  const rows: Row[] = [[say("summary.photo_outcome"), say(`outcome.${photo.outcome}`)]];
  const p = photo.probabilities[target];
  if (assessed && p !== undefined) {
    rows.push([say("summary.likeness"), percent(p)]);
    rows.push([say("summary.set"), photo.notExcluded.map((name) => say(`class.${name}`)).join(", ") || "–"]);
    if (photo.tone && photo.ita !== null) rows.push([say("summary.tone"), `${say(`tone.${photo.tone}`)}, ITA ${photo.ita.toFixed(0)}°`]);
  }
  return (
    <>
      <Rows rows={rows} />
      {decided && <p class="faint">{say("summary.deciding")}</p>}
      {assessed && photo.mapUnstable && <p class="faint">{say("summary.map_unstable")}</p>}
      {!assessed && photo.reasons.map((code) => <p key={code}>{say(code)}</p>)}
    </>
  );
}

function Rows({ rows }: { rows: readonly Row[] }): JSX.Element {
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
