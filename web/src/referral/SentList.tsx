// What this device has handed to the clinic, the clinic's replies, and a place to type a code from paper.

import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { useSay } from "../ui/parts";
import { HandedOver } from "./HandedOver";
import { askReply, type Reply } from "./reply";
import { told } from "./sender";
import { remove, type Row } from "./store";
import { useRows } from "./useRows";
import { withReferral } from "./words";

export function SentList({ clinic }: { clinic: string }): JSX.Element {
  const say = withReferral(useSay());
  const rows = useRows();
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState("");
  return (
    <section class="results sent">
      <h2>{say("sent.title")}</h2>
      <ul class="photos">
        {rows?.map((row) => (
          <One key={row.id} row={row} clinic={clinic} />
        ))}
      </ul>
      <form
        class="card lock secret"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(code.trim());
        }}
      >
        <h2>{say("sent.enter")}</h2>
        <p>
          <label for="reply-code">{say("sent.enter_label")}</label>
          <input id="reply-code" autocomplete="off" autocapitalize="characters" spellcheck={false} maxLength={40} value={code} onInput={(event) => setCode(event.currentTarget.value)} />
        </p>
        <button type="submit" disabled={!code.trim()}>
          {say("sent.ask")}
        </button>
      </form>
      {asked && (
        <div class="card keep">
          <Ask key={asked} clinic={clinic} code={asked} now />
        </div>
      )}
    </section>
  );
}

function One({ row, clinic }: { row: Row; clinic: string }): JSX.Element {
  const say = withReferral(useSay());
  const when = new Date(row.at).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  if (row.code === null)
    return (
      <li>
        <HandedOver row={row} clinic={clinic} again={() => undefined} />
      </li>
    );
  return (
    <li class="card keep">
      <p>
        {say("sent.of", { when })}. {say("sent.code")}: <b>{row.code}</b>
      </p>
      <Ask clinic={clinic} code={row.code} />
      <div class="row small">
        <button class="plain" onClick={() => void remove(row.id).then(told)}>
          {say("sent.remove")}
        </button>
      </div>
    </li>
  );
}

type Found = { reply: Reply } | { fault: "unknown" | "failed" };

function Ask({ clinic, code, now = false }: { clinic: string; code: string; now?: boolean }): JSX.Element {
  const say = withReferral(useSay());
  const [found, setFound] = useState<Found | null>(null);
  const [busy, setBusy] = useState(now);
  const ask = async (): Promise<void> => {
    setBusy(true);
    const reply = await askReply(clinic, code).catch(() => undefined);
    setFound(reply === undefined ? { fault: "failed" } : reply === null ? { fault: "unknown" } : { reply });
    setBusy(false);
  };
  useLayoutEffect(() => {
    if (now) void ask();
  }, []);
  return (
    <>
      <div role="status">{found && ("reply" in found ? <Shown reply={found.reply} /> : <p>{say(`sent.${found.fault}`)}</p>)}</div>
      {!(found && "reply" in found && found.reply.state === "answered" && found.reply.test_result) && (
        <button disabled={busy} onClick={() => void ask()}>
          {say(busy ? "lock.working" : "sent.ask")}
        </button>
      )}
    </>
  );
}

function Shown({ reply: { state, answer, answered_at: at, message, test_result: test } }: { reply: Reply }): JSX.Element {
  const say = withReferral(useSay());
  if (state === "waiting" || !at || !answer) return <p>{say("sent.not_yet")}</p>;
  const when = new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  return (
    <div class="note clinic-reply">
      <p class="faint">{say("sent.answered", { when })}</p>
      <p>
        <b>{say(`sent.${answer}`)}</b>
      </p>
      {message && <p>{message}</p>}
      {test && <p>{say("sent.test", { result: say(`sent.${test}`) })}</p>}
      <p class="faint">{say("disclaimer")}</p>
    </div>
  );
}
