// Which page is shown: the address after "#", so that the browser's back button and bookmarks work.

import { useLayoutEffect, useState } from "preact/hooks";

export const PLACES = ["worklist", "camera", "handover", "monitoring", "admin", "account"] as const;
export type Place = (typeof PLACES)[number];

export interface Route {
  place: Place;
  /** A referral's id, or a part of the administration; "" for none. */
  part: string;
}

export function routeOf(hash: string): Route {
  const [place = "", part = ""] = hash.replace(/^#\/?/, "").split("/");
  const known = (PLACES as readonly string[]).includes(place);
  return { place: known ? (place as Place) : "worklist", part: known && /^[\w-]{0,64}$/.test(part) ? part : "" };
}

export const hashOf = (place: Place, part = ""): string => `#/${place}${part && `/${part}`}`;

export const goTo = (place: Place, part = ""): void => void (location.hash = hashOf(place, part));

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useLayoutEffect(() => {
    const changed = (): void => setRoute(routeOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
