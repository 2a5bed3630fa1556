// Erasing a person: by the clinic's reference, or by the code of one referral.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Choice, Tick } from "../../ui/Choice";
import { useSay } from "../../ui/parts";
import { post } from "../api/client";
import type { Erased } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";

export function Erase(): JSX.Element {
  const say = useSay();
  const [by, setBy] = useState<"person" | "code">("person");
  const [text, setText] = useState("");
  const [sure, setSure] = useState(false);
  const [done, setDone] = useState<Erased | null>(null);
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    setDone(null);
    setDone(await post<Erased>("/admin/erase", { [by]: text.trim() }));
    setText("");
    setSure(false);
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (sure) void run(send);
      }}
    >
      <p>{say("erase.text")}</p>
      <Choice
        long
        name="by"
        label={say("erase.by")}
        options={[
          ["person", say("erase.person")],
          ["code", say("erase.code")],
        ]}
        value={by}
        pick={(code) => setBy(code as "person" | "code")}
      />
      <Field label={say(`erase.${by}`)} name="erase" required maxLength={by === "code" ? 40 : 64} autocomplete="off" value={text} set={setText} />
      <Tick name="sure" label={say("erase.sure")} checked={sure} set={setSure} />
      <Told fault={fault} />
      <p role="status" class={done ? "good" : "empty"}>
        {done && say("erase.done", { referrals: done.referrals, photos: done.photos })}
      </p>
      <button class="danger" type="submit" disabled={busy || !sure || !text.trim()}>
        {say("erase.now")}
      </button>
    </form>
  );
}
