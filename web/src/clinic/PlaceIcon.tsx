// Drawings of the menu, in the app's line.

import type { JSX } from "preact";
import type { Place } from "./route";

const PATHS: Readonly<Record<Place, string>> = {
  worklist: "M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h7",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  handover: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2",
  monitoring: "M4 20h16M6 16v-4M11 16V7M16 16v-6M20 6l-4-2",
  admin: "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M3 20c0-4 3-6 6-6s6 2 6 6M16 6a2.5 2.5 0 0 1 0 5M18 14c2 .8 3 2.800 3 6",
  account: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c0-5 4-7 8-7s8 2 8 7",
};

export function PlaceIcon({ place }: { place: Place }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[place]} />
    </svg>
  );
}
