// Before any photo: whose rash it is, whether the place is intimate, and that they agree.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Agreement, Consenter } from "../results/result";
import { Choice, Tick } from "./Choice";
import { Heading, Icon, Trail, useSay } from "./parts";

const WHOSE: readonly Consenter[] = ["self", "adult", "guardian"];

interface Props {
  agreement: Agreement | null;
  agree: (agreement: Agreement) => void;
  policy: () => void;
}

export function Care({ agreement, agree, policy }: Props): JSX.Element {
  const say = useSay();
  const [by, setBy] = useState<Consenter | "">(agreement?.by ?? "");
  const [intimate, setIntimate] = useState(agreement ? (agreement.intimate ? "yes" : "no") : "");
  const [agreed, setAgreed] = useState(agreement !== null);
  const [agreedPlace, setAgreedPlace] = useState(agreement !== null);
  const [tried, setTried] = useState(false);
  const stopped = by === "guardian" && intimate === "yes";
  const missing = missingOf({ by, agreed, intimate, agreedPlace });
  const stop = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (stopped) stop.current?.scrollIntoView({ block: "nearest" }); // on a small phone it is below the fold
  }, [stopped]);
  return (
    <section class="care">
      <Trail at={0} />
      <Heading>{say("care.title")}</Heading>
      <p class="lead">{say("care.lead")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (stopped) return;
          if (by !== "" && missing === null) return agree({ by, intimate: intimate === "yes" });
          setTried(true);
          event.currentTarget.querySelector<HTMLInputElement>(`input[name="${missing}"]`)?.focus();
        }}
      >
        <Choice
          long
          name="whose"
          label={say("care.whose")}
          options={WHOSE.map((code) => [code, say(`care.${code}`)] as const)}
          value={by}
          pick={(code) => {
            setBy(code as Consenter);
            setAgreed(false); // another person has not agreed yet
          }}
        />
        {(by === "adult" || by === "guardian") && (
          <Tick name="agreed" label={say(`care.agree_${by}`)} checked={agreed} set={setAgreed} />
        )}
        <Choice
          name="intimate"
          label={say("care.intimate")}
          options={[
            ["no", say("questions.no")],
            ["yes", say("questions.yes")],
          ]}
          value={intimate}
          pick={(code) => {
            setIntimate(code);
            setAgreedPlace(false);
          }}
        />
        <div aria-live="polite" ref={stop}>
          {stopped && (
            <div class="note urgent">
              <Icon name="refer" />
              <span>
                <b>{say("care.minor_stop")}</b> {say("care.minor_other")}
              </span>
            </div>
          )}
        </div>
        {intimate === "yes" && !stopped && (
          <Tick name="agreed-place" label={say("care.agree_intimate")} checked={agreedPlace} set={setAgreedPlace} />
        )}
        <button type="button" class="plain" onClick={policy}>
          {say("policy.title")}
        </button>
        <div class={stopped ? "bar still" : "bar"}>
          {tried && missing !== null && !stopped && (
            <p class="bad" role="alert">
              {say("care.missing")}
            </p>
          )}
          <button class="primary" type="submit" disabled={stopped}>
            {say("app.next")}
          </button>
        </div>
      </form>
    </section>
  );
}

interface Given {
  by: Consenter | "";
  agreed: boolean;
  intimate: string;
  agreedPlace: boolean;
}

/** Name of the first question without an answer, or null. */
function missingOf({ by, agreed, intimate, agreedPlace }: Given): string | null {
  if (by === "") return "whose";
  if (by !== "self" && !agreed) return "agreed";
  if (intimate === "") return "intimate";
  return intimate === "yes" && !agreedPlace ? "agreed-place" : null;
}
