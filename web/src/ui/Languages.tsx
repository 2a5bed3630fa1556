// The choice of the language; it is the same on the app and on the reader page.

import type { JSX } from "preact";
import { LANGUAGES, remember } from "../messages";
import { useSay } from "./parts";

export function Languages({ language, choose }: { language: string; choose: (code: string) => void }): JSX.Element {
  const say = useSay();
  return (
    <select
      aria-label={say("app.language")}
      value={language}
      onChange={(event) => {
        remember(event.currentTarget.value);
        choose(event.currentTarget.value);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, { name }]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}
