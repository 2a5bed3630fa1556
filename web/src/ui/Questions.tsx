// What is known about the person: the FHIR questionnaire as a form.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import questionnaire from "../questions/questionnaire.json";
import type { Context, YesNo } from "../screen/context";
import { Heading, Trail, useSay } from "./parts";

interface Props {
  context: Context;
  set: (context: Context) => void;
  next: () => void;
}

export function Questions({ context, set, next }: Props): JSX.Element {
  const say = useSay();
  const [age, setAge] = useState(context.age === undefined ? "" : String(context.age));
  const years = Number(age.replace(",", "."));
  const bad = age.trim() !== "" && !(years >= 0 && years <= 130);
  const typed = (text: string): void => {
    setAge(text);
    const { age: _, ...rest } = context;
    const value = Number(text.replace(",", "."));
    set(text.trim() !== "" && value >= 0 && value <= 130 ? { ...rest, age: value } : rest);
  };
  return (
    <section>
      <Trail at={1} />
      <Heading>{say("questions.title")}</Heading>
      <p class="lead">{say("questions.lead")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!bad) next();
        }}
      >
        {questionnaire.item.map(({ linkId, type, answerOption }) => {
          if (type === "boolean")
            return <YesNoQuestion key={linkId} name={linkId as YesNo} context={context} set={set} />;
          if (answerOption)
            return (
              <Choice
                key={linkId}
                name={linkId}
                label={say(`question.${linkId}`)}
                options={answerOption.map(({ valueCoding }) => [
                  valueCoding.code,
                  say(`question.${linkId}.${valueCoding.code}`),
                ])}
                value={context.sex ?? ""}
                pick={(code) => set(withValue(context, "sex", code || undefined))}
              />
            );
          return (
            <div class="question" key={linkId}>
              <label for={linkId}>{say(`question.${linkId}`)}</label>
              <input
                id={linkId}
                inputMode="decimal"
                autocomplete="off"
                value={age}
                aria-invalid={bad}
                aria-describedby={bad ? `${linkId}-bad` : undefined}
                onInput={(event) => typed(event.currentTarget.value)}
              />
              {bad && (
                <p class="bad" id={`${linkId}-bad`} role="alert">
                  {say("questions.age_bad")}
                </p>
              )}
            </div>
          );
        })}
        <div class="bar">
          <button class="primary" type="submit">
            {say("questions.answer")}
          </button>
        </div>
      </form>
    </section>
  );
}

function YesNoQuestion({ name, context, set }: { name: YesNo; context: Context; set: (context: Context) => void }): JSX.Element {
  const say = useSay();
  const value = context[name];
  return (
    <Choice
      name={name}
      label={say(`question.${name}`)}
      options={[
        ["yes", say("questions.yes")],
        ["no", say("questions.no")],
      ]}
      value={value === undefined ? "" : value ? "yes" : "no"}
      pick={(code) => set(withValue(context, name, code === "" ? undefined : code === "yes"))}
    />
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  options: readonly (readonly [string, string])[];
  /** "" for not known. */
  value: string;
  pick: (code: string) => void;
}

function Choice({ name, label, options, value, pick }: ChoiceProps): JSX.Element {
  const say = useSay();
  return (
    <fieldset class="question">
      <legend>{label}</legend>
      <div class="choices">
        {[...options, ["", say("questions.unknown")] as const].map(([code, text]) => (
          <label key={code} class={code === "" ? "unknown" : ""}>
            <input type="radio" name={name} checked={value === code} onChange={() => pick(code)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function withValue(context: Context, name: keyof Context, value: unknown): Context {
  const { [name]: _, ...rest } = context;
  return value === undefined ? rest : { ...rest, [name]: value };
}
