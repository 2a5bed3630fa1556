// What of the worklist is looked at, and how that is asked for.

import type { Outcome } from "../../screen/decision";

export const VIEWS = ["waiting", "awaiting_pcr", "closed"] as const;
export type View = (typeof VIEWS)[number];

export interface Filter {
  view: View;
  outcome: Outcome | "";
  /** A person's reference or a patient's code; then the view does not matter. */
  text: string;
}

export const EVERYTHING: Filter = { view: "waiting", outcome: "", text: "" };

/** A patient's code as it may be typed: twelve letters and digits without U, in groups or not. */
const CODE = /^[0-9A-TV-Z]{4}[\s-]?[0-9A-TV-Z]{4}[\s-]?[0-9A-TV-Z]{4}$/i;

/** The query of GET /v1/worklist. */
export function queryOf({ view, outcome, text }: Filter, after: string | null = null): string {
  const query = new URLSearchParams();
  const wanted = text.trim();
  if (wanted) query.set(CODE.test(wanted) && /\d|[-\s]/.test(wanted) ? "code" : "person", wanted);
  else if (view !== "waiting") query.set("state", view);
  if (outcome) query.set("outcome", outcome);
  if (after) query.set("after", after);
  return query.size ? `?${query}` : "";
}
