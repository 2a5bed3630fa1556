// One referral after it was handed over: that it waits, that it was refused, its code, or that it is locked.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useSay } from "../ui/parts";
import { hurry, told } from "./sender";
import { remove, type Row } from "./store";
import { withReferral } from "./words";

/** `again` brings the form back, so that what was refused can be corrected. */
export function HandedOver({ row, clinic, again }: { row: Row; clinic: string; again: () => void }): JSX.Element {
  const say = withReferral(useSay());
  const name = new URL(clinic).host;
  const [trying, setTrying] = useState(false);
  const drop = (then: () => void): void => void remove(row.id).then(told).then(then);
  if (row.code !== null)
    return (
      <div class="card send" role="status">
        <h2>{say("send.done", { clinic: name })}</h2>
        <p>{say("send.code")}</p>
        <p class="reply">{row.code}</p>
      </div>
    );
  if (row.stopped)
    return (
      <div class="card send">
        <p class="bad" role="alert">
          {say(`send.${row.stopped}`)} {row.stopped === "refused" && <span lang="en">{row.detail}</span>}
        </p>
        <button class="primary" onClick={() => drop(again)}>
          {say("sent.again")}
        </button>
      </div>
    );
  if (row.locked)
    return (
      <div class="card send" role="status">
        <p>{say(row.waiting ? "sent.locked_waiting" : "sent.locked")}</p>
      </div>
    );
  const first = row.tries === 0;
  return (
    <div class="card send" role="status">
      <h2>{say(first ? "sent.sending" : "sent.waiting")}</h2>
      {!first && <p>{say("sent.waiting_text")}</p>}
      {!first && (
        <div class="row">
          <button
            class="primary"
            disabled={trying}
            onClick={() => {
              setTrying(true);
              void hurry().then(() => setTrying(false));
            }}
          >
            {say(trying ? "lock.working" : "sent.now")}
          </button>
          <button onClick={() => drop(again)}>{say("sent.drop")}</button>
        </div>
      )}
    </div>
  );
}
