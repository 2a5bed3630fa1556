// Before a change that matters the server asks for the password again; what was to be done is done then.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { Fault, post, whenToConfirm } from "../api/client";
import type { SessionOut } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";

type Done = (confirmed: boolean) => void;

export function Confirm({ session }: { session: SessionOut }): JSX.Element | null {
  const [asked, setAsked] = useState<Done | null>(null);
  useLayoutEffect(() => {
    let waiting: Promise<boolean> | null = null; // several requests at a time are one question
    whenToConfirm(() => {
      waiting ??= new Promise<boolean>((resolve) => setAsked(() => resolve)).finally(() => {
        waiting = null;
        setAsked(null);
      });
      return waiting;
    });
    return () => whenToConfirm(null);
  }, []);
  return asked && <Question session={session} done={asked} />;
}

function Question({ session, done }: { session: SessionOut; done: Done }): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [coded, setCoded] = useState(session.totp);
  const { busy, fault, run } = useWork();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const send = async (): Promise<void> => {
    try {
      await post<SessionOut>("/session/confirm", { password, ...(code.trim() ? { code: code.trim() } : {}) });
      done(true);
    } catch (why) {
      if (why instanceof Fault && why.code === "code_needed") setCoded(true);
      throw why;
    }
  };
  return (
    <dialog ref={dialog} class="about confirm" onClose={() => done(false)} aria-labelledby="confirm-title">
      <h2 id="confirm-title">{say("confirm.title")}</h2>
      <p>{say("confirm.text")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(send);
        }}
      >
        <Field label={say("sign.password")} name="confirm-password" type="password" autocomplete="current-password" required maxLength={128} value={password} set={setPassword} />
        {coded && (
          <Field label={say("sign.code")} name="confirm-code" autocomplete="one-time-code" required maxLength={20} hint={say("sign.code_hint")} value={code} set={setCode} />
        )}
        <Told fault={fault} />
        <div class="row">
          <button class="primary" type="submit" disabled={busy}>
            {say(busy ? "lock.working" : "confirm.go_on")}
          </button>
          <button type="button" onClick={() => done(false)}>
            {say("admin.cancel")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
