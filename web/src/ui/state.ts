// What the page holds while it is open, and nothing longer.

import type { Preview } from "../engine/client";
import type { Part } from "../photo/decode";
import type { Answers } from "../questions/answers";
import type { Agreement } from "../results/result";
import type { Screened } from "../screen/screener";

export type Step =
  | "welcome" | "care" | "photos" | "crop" | "questions" | "answer" | "summary" | "results" | "policy";

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
  /** Who agreed to photos; none is taken before. */
  agreement: Agreement | null;
  photos: readonly PhotoItem[];
  /** The photo whose part is chosen. */
  cropping: number | null;
  answers: Answers;
}

export const EMPTY: State = { step: "welcome", agreement: null, photos: [], cropping: null, answers: {} };

export type Action =
  | { kind: "go"; step: Step }
  | { kind: "agree"; agreement: Agreement }
  | { kind: "add"; item: PhotoItem }
  | { kind: "change"; id: number; with: Partial<PhotoItem> }
  | { kind: "remove"; id: number }
  | { kind: "remove all" }
  | { kind: "crop"; id: number }
  | { kind: "answers"; answers: Answers }
  | { kind: "reset" };

export function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case "go":
      return { ...state, step: reachable(state, action.step) };
    case "agree":
      return { ...state, agreement: action.agreement };
    case "add":
      return { ...state, photos: [...state.photos, action.item] };
    case "change":
      return {
        ...state,
        photos: state.photos.map((item) => (item.id === action.id ? { ...item, ...action.with } : item)),
      };
    case "remove":
      return { ...state, photos: state.photos.filter((item) => item.id !== action.id) };
    case "remove all":
      return { ...state, photos: [] };
    case "crop":
      return { ...state, step: "crop", cropping: action.id };
    case "answers":
      return { ...state, answers: action.answers };
    case "reset":
      return { ...EMPTY, step: state.step };
  }
}

/** The browser's back and forward buttons may ask for a step that has nothing to show, or is not due yet. */
function reachable(state: State, step: Step): Step {
  if (["welcome", "care", "results", "policy"].includes(step)) return step;
  if (!state.agreement) return "care";
  const ready = state.photos.length > 0 && state.photos.every((item) => item.screened !== null);
  if (step === "crop") return state.photos.some((item) => item.id === state.cropping && item.preview) ? step : "photos";
  return ["questions", "answer", "summary"].includes(step) && !ready ? "photos" : step;
}
