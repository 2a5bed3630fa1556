// One question with a few answers, as large buttons that are radio buttons underneath.

import type { JSX } from "preact";

export type Option = readonly [code: string, text: string];

interface Props {
  name: string;
  label: string;
  options: readonly Option[];
  /** "" for none. */
  value: string;
  pick: (code: string) => void;
  /** One below the other, for longer answers. */
  long?: boolean;
}

export function Choice({ name, label, options, value, pick, long }: Props): JSX.Element {
  return (
    <fieldset class="question">
      <legend>{label}</legend>
      <div class={long ? "choices long" : "choices"}>
        {options.map(([code, text]) => (
          <label key={code} class={code === "" ? "unknown" : ""}>
            <input type="radio" name={name} value={code} checked={value === code} onChange={() => pick(code)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A sentence that is agreed to. */
export function Tick({ name, label, checked, set }: { name: string; label: string; checked: boolean; set: (on: boolean) => void }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" name={name} checked={checked} onChange={(event) => set(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
