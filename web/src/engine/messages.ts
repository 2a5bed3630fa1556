// What the page and its worker say to each other.

import type { Manifest } from "../bundle/manifest";
import type { Part } from "../photo/decode";
import type { Screened } from "../screen/screener";
import type { Outputs } from "./runtime";

/** Why there is no model: the bundle is damaged, this browser's numbers are off, or it could not be fetched. */
export type StartFault = "bundle" | "numbers" | "network";

export interface Ready {
  manifest: Manifest;
  label: string;
  /** Whether model and runtime will be there without a network. */
  kept: boolean;
  /** Which of the bundle's models runs, on which build of which runtime. */
  way: string;
  threads: number;
  goldenDifference: number;
}

export type Ask =
  | { id: number; kind: "start"; base: string; label: string | null }
  | { id: number; kind: "refresh" }
  | { id: number; kind: "preview"; file: Blob; side: number }
  | { id: number; kind: "prepare"; file: Blob; part?: Part }
  | { id: number; kind: "outputs"; rgb: Uint8Array }
  | { id: number; kind: "screen"; file: Blob; part?: Part };

/** Not answered: what was asked under this number is not wanted any more. */
export interface Cancel {
  id: number;
  kind: "cancel";
}

export type Answer =
  | { id: number; kind: "progress"; done: number; total: number }
  | { id: number; kind: "ready"; ready: Ready }
  | { id: number; kind: "refreshed"; label: string | null }
  | { id: number; kind: "preview"; image: ImageData; width: number; height: number }
  | { id: number; kind: "prepared"; rgb: Uint8Array }
  | { id: number; kind: "outputs"; outputs: Outputs; ms: number }
  | { id: number; kind: "screened"; screened: Screened }
  | { id: number; kind: "fault"; fault: StartFault | string; detail: string };
