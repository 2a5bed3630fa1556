// The passphrase of kept results: chosen once, typed to open them.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { setLock, unlock } from "../results/keys";
import { canLock, MIN_LENGTH, WrongPassphrase } from "../results/lock";
import { useSay } from "./parts";

export function LockForm({ done }: { done: () => void }): JSX.Element {
  const say = useSay();
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [fault, setFault] = useState("");
  const [working, setWorking] = useState(false);
  if (!canLock()) return <p class="note">{say("lock.insecure")}</p>;
  const send = async (): Promise<void> => {
    if (first.length < MIN_LENGTH) return setFault(say("lock.short", { n: MIN_LENGTH }));
    if (first !== second) return setFault(say("lock.differ"));
    setWorking(true);
    await setLock(first).then(done, () => setFault(say("keep.failed")));
    setWorking(false);
  };
  return (
    <form class="card lock" onSubmit={(event) => (event.preventDefault(), void send())}>
      <h2>{say("lock.title")}</h2>
      <p>{say("lock.text")}</p>
      <Secret id="new-passphrase" label={say("lock.passphrase")} fill="new-password" value={first} set={setFirst} fault={fault} />
      <Secret id="passphrase-again" label={say("lock.again")} fill="new-password" value={second} set={setSecond} fault={fault} />
      <Fault text={fault} />
      <button class="primary" type="submit" disabled={working}>
        {say(working ? "lock.working" : "lock.set")}
      </button>
    </form>
  );
}

export function UnlockForm({ done }: { done: () => void }): JSX.Element {
  const say = useSay();
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState("");
  const [working, setWorking] = useState(false);
  const send = async (): Promise<void> => {
    setWorking(true);
    await unlock(typed).then(done, (why: unknown) => setFault(say(why instanceof WrongPassphrase ? "lock.wrong" : "keep.failed")));
    setWorking(false);
  };
  return (
    <form class="card lock" onSubmit={(event) => (event.preventDefault(), void send())}>
      <h2>{say("lock.locked")}</h2>
      <Secret id="passphrase" label={say("lock.passphrase")} fill="current-password" value={typed} set={setTyped} fault={fault} />
      <Fault text={fault} />
      <button class="primary" type="submit" disabled={working}>
        {say(working ? "lock.working" : "lock.unlock")}
      </button>
      <p class="faint">{say("lock.forgot")}</p>
    </form>
  );
}

interface SecretProps {
  id: string;
  label: string;
  fill: "new-password" | "current-password";
  value: string;
  set: (typed: string) => void;
  fault: string;
}

function Secret({ id, label, fill, value, set, fault }: SecretProps): JSX.Element {
  return (
    <p class="secret">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="password"
        autocomplete={fill}
        value={value}
        aria-invalid={fault !== ""}
        aria-describedby={fault ? "passphrase-fault" : undefined}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </p>
  );
}

const Fault = ({ text }: { text: string }): JSX.Element | null =>
  text ? (
    <p class="bad" id="passphrase-fault" role="alert">
      {text}
    </p>
  ) : null;
