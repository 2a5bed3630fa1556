// What the single keys do, and the switch to turn them off.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Tick } from "../../ui/Choice";
import { useSay } from "../../ui/parts";

const ROWS = [["j k", "keys.list"], ["1 2 3 4", "keys.verdict"], ["/", "keys.search"], ["?", "keys.help"], ["+ − ← ↑ → ↓", "keys.photo"]] as const;

export function KeysHelp({ on, set, close }: { on: boolean; set: (on: boolean) => void; close: () => void }): JSX.Element {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="about keys" onClose={close} aria-labelledby="keys-title">
      <h2 id="keys-title">{say("keys.title")}</h2>
      <dl>
        {ROWS.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{say(text)}</dd>
          </div>
        ))}
      </dl>
      <Tick name="keys-on" label={say("keys.on")} checked={on} set={set} />
      <button class="primary" onClick={() => dialog.current?.close()}>
        {say("app.close")}
      </button>
    </dialog>
  );
}
