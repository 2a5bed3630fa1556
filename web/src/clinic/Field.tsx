// A labelled field, with its explanation told to screen readers.

import type { InputHTMLAttributes, JSX } from "preact";
import { useId } from "preact/hooks";

type Inner = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onInput" | "label">;

interface Props extends Inner {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
}

export function Field({ label, value, set, hint, ...inner }: Props): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input {...(inner as InputHTMLAttributes<HTMLInputElement>)} id={id} value={value} {...(hint ? { "aria-describedby": `${id}-hint` } : {})} onInput={(event) => set(event.currentTarget.value)} />
      {hint && (
        <p class="faint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface AreaProps {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  rows?: number;
  name?: string;
  /** Characters; the server's limit of prose. */
  most?: number;
}

export function Area({ label, value, set, hint, rows = 3, name, most = 2000 }: AreaProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} name={name} rows={rows} maxLength={most} value={value} {...(hint ? { "aria-describedby": `${id}-hint` } : {})} onInput={(event) => set(event.currentTarget.value)} />
      {hint && (
        <p class="faint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface PickProps<Code extends string> {
  label: string;
  value: Code | "";
  options: readonly (readonly [Code | "", string])[];
  set: (value: Code | "") => void;
  name?: string;
}

export function Pick<Code extends string>({ label, value, options, set, name }: PickProps<Code>): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} value={value} onChange={(event) => set(event.currentTarget.value as Code | "")}>
        {options.map(([code, text]) => (
          <option key={code} value={code}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
