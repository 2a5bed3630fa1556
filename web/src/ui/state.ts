// What the page holds while it is open, and nothing longer.

import type { Preview } from "../engine/client";
import type { Part } from "../photo/decode";
import type { Context } from "../screen/context";
import type { Screened } from "../screen/screener";

export type Step = "welcome" | "photos" | "crop" | "questions" | "answer" | "summary";

export const WHOLE: Part = { left: 0, top: 0, width: 1, height: 1 };
export const MAX_PHOTOS = 12;

export interface PhotoItem {
  id: number;
  file: Blob;
  /** Null while it is opened, and where that failed. */
  preview: Preview | null;
  part: Part;
  /** Null while it is looked at. */
  screened: Screened | null;
}

export interface State {
  step: Step;
  photos: readonly PhotoItem[];
  /** The photo whose part is chosen. */
  cropping: number | null;
  context: Context;
}

export const EMPTY: State = { step: "welcome", photos: [], cropping: null, context: {} };

export type Action =
  | { kind: "go"; step: Step }
  | { kind: "add"; item: PhotoItem }
  | { kind: "change"; id: number; with: Partial<PhotoItem> }
  | { kind: "remove"; id: number }
  | { kind: "crop"; id: number }
  | { kind: "context"; context: Context }
  | { kind: "reset" };

export function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case "go":
      return { ...state, step: reachable(state, action.step) };
    case "add":
      return { ...state, photos: [...state.photos, action.item] };
    case "change":
      return {
        ...state,
        photos: state.photos.map((item) => (item.id === action.id ? { ...item, ...action.with } : item)),
      };
    case "remove":
      return { ...state, photos: state.photos.filter((item) => item.id !== action.id) };
    case "crop":
      return { ...state, step: "crop", cropping: action.id };
    case "context":
      return { ...state, context: action.context };
    case "reset":
      return EMPTY;
  }
}

/** The browser's back and forward buttons may ask for a step that has nothing to show. */
function reachable(state: State, step: Step): Step {
  const ready = state.photos.length > 0 && state.photos.every((item) => item.screened !== null);
  if (step === "crop") return state.photos.some((item) => item.id === state.cropping && item.preview) ? step : "photos";
  return ["questions", "answer", "summary"].includes(step) && !ready ? "photos" : step;
}
