// An authenticator app as the second factor: a QR code, one code of it back, and the recovery codes, once.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { post } from "../api/client";
import type { RecoveryOut, TotpOut } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";
import { QrCode } from "../QrCode";

export function SetUpTotp({ done }: { done: () => void }): JSX.Element {
  const say = useSay();
  const [begun, setBegun] = useState<TotpOut | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const [code, setCode] = useState("");
  const { busy, fault, run } = useWork();
  if (codes)
    return (
      <>
        <p>{say("totp.recovery")}</p>
        <ol class="recovery">
          {codes.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ol>
        <button class="primary" onClick={done}>
          {say("totp.written")}
        </button>
      </>
    );
  if (!begun)
    return (
      <>
        <p>{say("totp.why")}</p>
        <Told fault={fault} />
        <button class="primary" disabled={busy} onClick={() => void run(async () => setBegun(await post<TotpOut>("/session/totp")))}>
          {say("totp.begin")}
        </button>
      </>
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void run(async () => setCodes((await post<RecoveryOut>("/session/totp/confirm", { code: code.trim() })).recovery_codes));
      }}
    >
      <p>{say("totp.scan")}</p>
      <QrCode text={begun.address} label={say("totp.qr")} />
      <p class="faint">
        {say("totp.typed")} <code class="token">{begun.secret}</code>
      </p>
      <Field label={say("totp.code")} name="code" inputMode="numeric" autocomplete="one-time-code" required minLength={6} maxLength={6} value={code} set={setCode} />
      <Told fault={fault} />
      <button class="primary" type="submit" disabled={busy}>
        {say("totp.confirm")}
      </button>
    </form>
  );
}
