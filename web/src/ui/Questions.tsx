// What is known about the person: the FHIR questionnaire as a form.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Answers, asked, type Place, PLACES, type Since, withAnswer, type YesNoAnswer } from "../questions/answers";
import questionnaire from "../questions/questionnaire.json";
import type { Agreement } from "../results/result";
import { Choice, Tick } from "./Choice";
import { Heading, Trail, useSay } from "./parts";
import { Where } from "./Where";

const ADULT = 18;

interface Props {
  answers: Answers;
  set: (answers: Answers) => void;
  agreement: Agreement;
  agree: (agreement: Agreement) => void;
  removePhotos: () => void;
  next: () => void;
}

export function Questions({ answers, set, agreement, agree, removePhotos, next }: Props): JSX.Element {
  const say = useSay();
  const [badAge, setBadAge] = useState(false);
  // Whoever said that they are an adult, and then gave a child's age, is asked for the guardian here.
  const late = agreement.by !== "guardian" && answers.age !== undefined && answers.age < ADULT;
  const [tried, setTried] = useState(false);
  return (
    <section>
      <Trail at={1} />
      <Heading>{say("questions.title")}</Heading>
      <p class="lead">{say("questions.lead")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!badAge && !late) return next();
          // What is missing is far up on a phone.
          event.currentTarget.querySelector<HTMLElement>("[aria-invalid='true'], .note input, .note button")?.focus();
        }}
      >
        {questionnaire.item
          .filter(({ linkId }) => asked(linkId, answers))
          .map((question) => (
            <div key={question.linkId}>
              <OneQuestion question={question} answers={answers} set={set} setBadAge={setBadAge} />
              {question.linkId === "age" && late && (
                <div class="note" role="status">
                  <b>{say("care.late")}</b>
                  {agreement.intimate ? (
                    <>
                      <p>{say("care.late_intimate")}</p>
                      <button type="button" onClick={removePhotos}>
                        {say("care.remove")}
                      </button>
                    </>
                  ) : (
                    <Tick
                      name="guardian"
                      label={say("care.agree_guardian")}
                      checked={false}
                      set={() => agree({ ...agreement, by: "guardian" })}
                    />
                  )}
                </div>
              )}
            </div>
          ))}
        <div class="bar">
          {tried && late && (
            <p class="bad" role="alert">
              {say("care.late")} {!agreement.intimate && say("care.missing")}
            </p>
          )}
          <button class="primary" type="submit">
            {say("questions.answer")}
          </button>
        </div>
      </form>
    </section>
  );
}

interface OneProps {
  question: (typeof questionnaire.item)[number];
  answers: Answers;
  set: (answers: Answers) => void;
  setBadAge: (bad: boolean) => void;
}

function OneQuestion({ question, answers, set, setBadAge }: OneProps): JSX.Element {
  const say = useSay();
  const { linkId, type, answerOption } = question;
  const label = say(`question.${linkId}`);
  const unknown = ["", say("questions.unknown")] as const;
  if (linkId === "where") {
    const named = (where: ReadonlySet<Place>): Answers["where"] => (where.size ? PLACES.filter((place) => where.has(place)) : undefined);
    return <Where label={label} places={answers.where ?? []} set={(where) => set(withAnswer(answers, "where", named(where)))} />;
  }
  if (type === "decimal") return <Age label={label} answers={answers} set={set} setBad={setBadAge} />;
  if (type === "boolean") {
    const name = linkId as YesNoAnswer;
    const value = answers[name];
    const options = [["yes", say("questions.yes")], ["no", say("questions.no")], unknown] as const;
    return (
      <Choice
        name={name}
        label={label}
        options={options}
        value={value === undefined ? "" : value ? "yes" : "no"}
        pick={(code) => set(withAnswer(answers, name, code === "" ? undefined : code === "yes"))}
      />
    );
  }
  const name = linkId as "since" | "sex";
  const codes = answerOption!.map(({ valueCoding }) => valueCoding.code);
  return (
    <Choice
      name={name}
      label={label}
      options={[...codes.map((code) => [code, say(`question.${linkId}.${code}`)] as const), unknown]}
      value={answers[name] ?? ""}
      pick={(code) => set(withAnswer(answers, name, (code || undefined) as Since & Answers["sex"]))}
    />
  );
}

interface AgeProps {
  label: string;
  answers: Answers;
  set: (answers: Answers) => void;
  setBad: (bad: boolean) => void;
}

function Age({ label, answers, set, setBad }: AgeProps): JSX.Element {
  const say = useSay();
  const [text, setText] = useState(answers.age === undefined ? "" : String(answers.age));
  const read = (typed: string): number | undefined => {
    const years = Number(typed.trim().replace(",", "."));
    return typed.trim() !== "" && years >= 0 && years <= 130 ? years : undefined;
  };
  const bad = text.trim() !== "" && read(text) === undefined;
  return (
    <div class="question">
      <label for="age">{label}</label>
      <input
        id="age"
        inputMode="decimal"
        autocomplete="off"
        value={text}
        aria-invalid={bad}
        aria-describedby={bad ? "age-bad" : undefined}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          setText(typed);
          setBad(typed.trim() !== "" && read(typed) === undefined);
          set(withAnswer(answers, "age", read(typed)));
        }}
      />
      {bad && (
        <p class="bad" id="age-bad" role="alert">
          {say("questions.age_bad")}
        </p>
      )}
    </div>
  );
}
