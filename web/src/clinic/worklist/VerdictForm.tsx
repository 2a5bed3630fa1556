// The clinician's verdict; in blind mode first what they think, and the verdict after the model's opinion was seen.

import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { Icon, useSay } from "../../ui/parts";
import { Fault, post } from "../api/client";
import { type Detail, type Diagnosis, DIAGNOSES, type Verdict, VERDICTS } from "../api/types";
import { Told, useWork } from "../faults";
import { Area, Pick } from "../Field";

interface Props {
  detail: Detail;
  choose: RefObject<(verdict: Verdict) => void>;
  done: (detail: Detail) => void;
  /** After a colleague was faster. */
  reload: () => void;
  next: () => void;
}

export function VerdictForm({ detail, choose, done, reload, next }: Props): JSX.Element {
  const say = useSay();
  const own = [...detail.notes].reverse().find((note) => note.kind !== "question" && note.verdict);
  const [verdict, setVerdict] = useState<Verdict | "">(detail.verdict ?? own?.verdict ?? "");
  const [diagnosis, setDiagnosis] = useState<Diagnosis | "">(detail.diagnosis ?? own?.diagnosis ?? "");
  const [message, setMessage] = useState(detail.message ?? "");
  const [note, setNote] = useState("");
  const [given, setGiven] = useState(false);
  const [missing, setMissing] = useState(false);
  const { busy, fault, run } = useWork();
  // With the commit: what undoes it for the referral before must not come after it.
  useLayoutEffect(() => {
    choose.current = (wanted) => {
      setVerdict(wanted);
      document.querySelector<HTMLInputElement>(`.verdicts input[value=${wanted}]`)?.focus();
    };
    return () => void (choose.current = () => undefined);
  }, []);
  const said = { verdict, ...(verdict === "other_diagnosis" && diagnosis ? { diagnosis } : {}), ...(note.trim() ? { note: note.trim() } : {}) };
  const send = async (): Promise<void> => {
    const address = `/worklist/${detail.id}/${detail.blind ? "opinion" : "verdict"}`;
    const reply = message.trim();
    const body = detail.blind ? said : { ...said, revision: detail.revision, ...(reply ? { message: reply } : {}) };
    try {
      const found = await post<Detail>(address, body);
      setNote("");
      setGiven(!detail.blind);
      done(found);
    } catch (why) {
      if (why instanceof Fault && why.code === "changed") reload();
      throw why;
    }
  };
  return (
    <form
      class="panel verdict-form"
      onSubmit={(event) => {
        event.preventDefault();
        const incomplete = verdict === "" || (verdict === "other_diagnosis" && diagnosis === "");
        setMissing(incomplete);
        if (!incomplete) void run(send);
      }}
    >
      <fieldset class="verdicts">
        <legend>
          <h2>{say(detail.blind ? "verdict.think" : "verdict.title")}</h2>
        </legend>
        {VERDICTS.map((one, i) => (
          <label key={one} class={one}>
            <input type="radio" name="verdict" value={one} checked={verdict === one} onChange={() => setVerdict(one)} />
            <span>
              <b>{say(`verdict.${one}`)}</b>
              <small>{say(`verdict.${one}.means`)}</small>
              <kbd class="pointer-only" aria-hidden="true">
                {i + 1}
              </kbd>
            </span>
          </label>
        ))}
      </fieldset>
      {verdict === "other_diagnosis" && (
        <Pick
          label={say("verdict.diagnosis")}
          name="diagnosis"
          value={diagnosis}
          options={[["", say("verdict.choose")], ...DIAGNOSES.map((one) => [one, say(`class.${one}`)] as const)]}
          set={setDiagnosis}
        />
      )}
      {!detail.blind && (
        <>
          <Area label={say("verdict.message")} name="message" hint={say("verdict.message_hint")} value={message} set={setMessage} />
          {verdict && !message && (
            <button type="button" class="plain" onClick={() => setMessage(say(`verdict.${verdict}.message`))}>
              {say("verdict.suggest")}
            </button>
          )}
        </>
      )}
      <Area label={say("verdict.note")} name="note" rows={2} value={note} set={setNote} />
      {missing && (
        <p class="bad" role="alert">
          {say("verdict.missing")}
        </p>
      )}
      <Told fault={fault} />
      <p role="status" class={given ? "good" : "empty"}>
        {given && (
          <>
            <Icon name="good" />
            {say("verdict.given")}
          </>
        )}
      </p>
      <div class="row">
        <button class="primary" type="submit" disabled={busy || detail.claimed}>
          {say(detail.blind ? "verdict.note_it" : detail.verdict ? "verdict.change" : "verdict.give")}
        </button>
        {given && (
          <button type="button" onClick={next}>
            {say("verdict.next")}
          </button>
        )}
      </div>
    </form>
  );
}
