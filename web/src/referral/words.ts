// The words of sending and of replies: fetched with this part of the app, on top of the app's own.

import type { Say } from "../messages";
import en from "./messages/en.json";
import es from "./messages/es.json";
import fr from "./messages/fr.json";
import pt from "./messages/pt.json";
import sw from "./messages/sw.json";

export type Sentence = keyof typeof en;
const LANGUAGES: Readonly<Record<string, Readonly<Record<Sentence, string>>>> = { en, es, fr, pt, sw };

/** `say` with these words before the app's. */
export const withReferral =
  (say: Say): Say =>
  (key, values = {}) => {
    const words = LANGUAGES[document.documentElement.lang] ?? en;
    const text = (words as Readonly<Record<string, string>>)[key];
    return text === undefined ? say(key, values) : text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
