// Where the rash is: boxes to tick, and a body from both sides that shows and takes the same by touch.

import type { JSX } from "preact";
import { type Place, PLACES } from "../questions/answers";
import { useSay } from "./parts";

interface Props {
  label: string;
  places: readonly Place[];
  set: (places: ReadonlySet<Place>) => void;
}

export function Where({ label, places, set }: Props): JSX.Element {
  const say = useSay();
  const chosen = new Set(places);
  const toggle = (place: Place): void => {
    const next = new Set(chosen);
    if (!next.delete(place)) next.add(place);
    set(next);
  };
  return (
    <fieldset class="question">
      <legend>{label}</legend>
      <p class="faint">{say("questions.where_hint")}</p>
      <div class="where">
        <Body chosen={chosen} toggle={toggle} />
        <div class="choices places">
          {PLACES.map((place) => (
            <label key={place}>
              <input type="checkbox" name="where" value={place} checked={chosen.has(place)} onChange={() => toggle(place)} />
              <span>{say(`question.where.${place}`)}</span>
            </label>
          ))}
        </div>
      </div>
    </fieldset>
  );
}

/** Front view about x = 60, back view about x = 180. */
const FRONT: readonly (readonly [Place | null, string])[] = [
  ["face", "M60 8c10 0 16 7 16 18s-7 21-16 21-16-10-16-21S50 8 60 8z"],
  ["neck", "M52 46h16v10H52z"],
  ["chest", "M37 56h46c4 0 6 3 6 7l-4 57H35l-4-57c0-4 2-7 6-7z"],
  ["arms", "M29 60c-7 2-9 9-10 18l-6 46h10l10-46zM91 60c7 2 9 9 10 18l6 46H97L87 78z"],
  ["hands", "M12 126h11c1 9-1 19-6 19s-7-10-5-19zM97 126h11c2 9 0 19-5 19s-7-10-6-19z"],
  ["genitals", "M47 122h26l-8 19H55z"],
  ["legs", "M35 122h10l9 21h5l-2 77H42zM75 122h10l-7 98H63l-2-77h5z"],
  ["feet", "M41 222h16v10c0 4-20 4-22 0zM63 222h16l6 10c-2 4-22 4-22 0z"],
  ["eyes", "M48 26c2-4 7-4 9 0-2 3-7 3-9 0zM63 26c2-4 7-4 9 0-2 3-7 3-9 0z"],
  ["mouth", "M53 38c3-3 11-3 14 0-3 4-11 4-14 0z"],
];
const BACK: readonly (readonly [Place | null, string])[] = [
  [null, "M180 8c10 0 16 7 16 18s-7 21-16 21-16-10-16-21 6-18 16-18z"],
  ["neck", "M172 46h16v10h-16z"],
  ["back", "M157 56h46c4 0 6 3 6 7l-4 47h-50l-4-47c0-4 2-7 6-7z"],
  ["arms", "M149 60c-7 2-9 9-10 18l-6 46h10l10-46zM211 60c7 2 9 9 10 18l6 46h-10l-10-46z"],
  ["hands", "M132 126h11c1 9-1 19-6 19s-7-10-5-19zM217 126h11c2 9 0 19-5 19s-7-10-6-19z"],
  ["bottom", "M155 112h50l1 20c-4 9-20 10-26 2-6 8-22 7-26-2z"],
  ["legs", "M156 141c8 3 16 2 21-2l1 81h-15zM204 141c-8 3-16 2-21-2l-1 81h15z"],
  ["feet", "M161 222h16v10c0 4-20 4-22 0zM183 222h16l6 10c-2 4-22 4-22 0z"],
];

/** The boxes beside it do the same for keyboard and screen reader, so it is hidden from both. */
function Body({ chosen, toggle }: { chosen: ReadonlySet<Place>; toggle: (place: Place) => void }): JSX.Element {
  return (
    <svg class="body" viewBox="0 0 240 240" aria-hidden="true">
      {[...FRONT, ...BACK].map(([place, path]) => (
        <path
          key={path}
          d={path}
          class={place === null ? "still" : chosen.has(place) ? "on" : ""}
          onClick={() => place && toggle(place)}
        />
      ))}
    </svg>
  );
}
