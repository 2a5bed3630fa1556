// A password of one's own: asked for after the first one, and from the account's page.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { post } from "../api/client";
import type { SessionOut } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";

const LEAST = 12; // characters, as the server asks

export function ChoosePassword({ done }: { done: (session: SessionOut) => void }): JSX.Element {
  const say = useSay();
  const [old, setOld] = useState("");
  const [chosen, setChosen] = useState("");
  const [again, setAgain] = useState("");
  const [differ, setDiffer] = useState(false);
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    const session = await post<SessionOut>("/session/password", { old, new: chosen });
    setOld("");
    setChosen("");
    setAgain("");
    done(session);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setDiffer(chosen !== again);
        if (chosen === again) void run(send);
      }}
    >
      <Field label={say("password.old")} name="old" type="password" autocomplete="current-password" required maxLength={128} value={old} set={setOld} />
      <Field label={say("password.new")} name="new" type="password" autocomplete="new-password" required minLength={LEAST} maxLength={128} hint={say("password.hint", { n: LEAST })} value={chosen} set={setChosen} />
      <Field label={say("password.again")} name="again" type="password" autocomplete="new-password" required maxLength={128} value={again} set={setAgain} />
      {differ && (
        <p class="bad" role="alert">
          {say("password.differ")}
        </p>
      )}
      <Told fault={fault} />
      <button class="primary" type="submit" disabled={busy}>
        {say("password.set")}
      </button>
    </form>
  );
}
