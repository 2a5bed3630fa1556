// Signing in: name and password, then the code where the account has an authenticator app.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Heading, Icon, useSay } from "../../ui/parts";
import { Fault, get, post } from "../api/client";
import type { SessionOut, Ways } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";

interface Props {
  why: "ended" | "left" | null;
  entered: (session: SessionOut) => void;
}

export function SignIn({ why, entered }: Props): JSX.Element {
  const say = useSay();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [coded, setCoded] = useState(false);
  const { busy, fault, run } = useWork();
  const openid = useOpenId();
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    if (coded) form.current?.querySelector<HTMLInputElement>("[name=code]")?.focus();
  }, [coded]);
  const send = async (): Promise<void> => {
    try {
      entered(await post<SessionOut>("/session", { name, password, ...(coded && code ? { code: code.trim() } : {}) }));
    } catch (why) {
      const needed = why instanceof Fault && why.code === "code_needed";
      if (needed) setCoded(true);
      if (!needed || coded) throw why;
    }
  };
  return (
    <div class="sign">
      <div class="panel">
        <Heading>{say("sign.title")}</Heading>
        {why && <p class="note">{say(`sign.${why}`)}</p>}
        <form
          ref={form}
          onSubmit={(event) => {
            event.preventDefault();
            void run(send);
          }}
        >
          <Field label={say("sign.name")} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={80} value={name} set={setName} />
          <Field label={say("sign.password")} name="password" type="password" autocomplete="current-password" required maxLength={128} value={password} set={setPassword} />
          {coded && (
            <Field label={say("sign.code")} name="code" inputMode="text" autocomplete="one-time-code" required maxLength={20} hint={say("sign.code_hint")} value={code} set={setCode} />
          )}
          <Told fault={fault} />
          <button class="primary wide" type="submit" disabled={busy}>
            <Icon name="lock" />
            {say(busy ? "lock.working" : "sign.in")}
          </button>
        </form>
        {openid && (
          <a class="button wide" href="/v1/oidc/start">
            {openid}
          </a>
        )}
        <details>
          <summary>{say("sign.first")}</summary>
          <p class="faint">{say("sign.first_text")}</p>
        </details>
      </div>
      <p class="disclaimer">{say("disclaimer")}</p>
    </div>
  );
}

/** The label of the other way in, or null. */
function useOpenId(): string | null {
  const [label, setLabel] = useState<string | null>(null);
  useEffect(() => void get<Ways>("/session/ways").then(({ openid }) => setLabel(openid), () => undefined), []);
  return label;
}
