// What the clinic decides for itself: blind mode, second factor, how long things are kept, notices.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Tick } from "../../ui/Choice";
import { Icon, useSay } from "../../ui/parts";
import { ask, get } from "../api/client";
import type { Policy } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";

const TICKS = ["blind", "require_totp", "notify_at_once", "escalate"] as const;
const NUMBERS = [["photo_days", 1, 36_500], ["referral_days", 1, 36_500], ["digest_hours", 0, 168]] as const;

export function Choices(): JSX.Element {
  const say = useSay();
  const [policy, setPolicy] = useState<Policy | null>(null);
  const [saved, setSaved] = useState(false);
  const { busy, fault, run } = useWork();
  useEffect(() => void run(async () => setPolicy(await get<Policy>("/admin/policy"))), []);
  if (!policy) return <Told fault={fault} />;
  const set = (change: Partial<Policy>): void => {
    setSaved(false);
    setPolicy({ ...policy, ...change });
  };
  const save = async (): Promise<void> => {
    setPolicy(await ask<Policy>("PUT", "/admin/policy", policy));
    setSaved(true);
  };
  return (
    <form
      class="panel choices-form"
      onSubmit={(event) => {
        event.preventDefault();
        void run(save);
      }}
    >
      {TICKS.map((name) => (
        <Tick key={name} name={name} label={say(`choice.${name}`)} checked={policy[name]} set={(on) => set({ [name]: on })} />
      ))}
      <div class="thirds">
        {NUMBERS.map(([name, min, max]) => (
          <Field key={name} label={say(`choice.${name}`)} name={name} type="number" min={min} max={max} required value={String(policy[name])} set={(value) => set({ [name]: Number(value) })} />
        ))}
      </div>
      <Field
        label={say("choice.webhook_url")}
        name="webhook_url"
        type="url"
        maxLength={500}
        hint={say("choice.webhook_hint")}
        value={policy.webhook_url ?? ""}
        set={(value) => set({ webhook_url: value.trim() || null })}
      />
      <Told fault={fault} />
      <p role="status" class={saved ? "good" : "empty"}>
        {saved && (
          <>
            <Icon name="good" />
            {say("admin.saved")}
          </>
        )}
      </p>
      <button class="primary" type="submit" disabled={busy}>
        {say("admin.save")}
      </button>
    </form>
  );
}
