// Something that is shown once: a first password, a device's token.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { QrCode } from "../QrCode";

interface Props {
  title: string;
  text: string;
  secret: string;
  /** Whether a device scans it. */
  qr?: boolean;
  close: () => void;
}

export function Secret({ title, text, secret, qr = false, close }: Props): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="about secret-once" onClose={close} aria-labelledby="secret-title">
      <h2 id="secret-title">{title}</h2>
      <p>{text}</p>
      {qr && <QrCode text={secret} label={say("device.qr")} />}
      <p class="token boxed">{secret}</p>
      <p class="faint">{say("admin.once")}</p>
      <button class="primary" onClick={() => dialog.current?.close()}>
        {say("admin.noted")}
      </button>
    </dialog>
  );
}
