// The pages' language: its words, and the document's language and direction.

import { useLayoutEffect, useState } from "preact/hooks";
import { directionOf, firstLanguage, type Say, sayWith, type Words } from "../messages";
import { OFFERED, wordsOf } from "./messages";

export interface Spoken {
  language: string;
  say: Say;
  choose: (code: string) => void;
}

/** The app's choice where the clinic has it too. */
export const firstOffered = (): string => {
  const found = firstLanguage();
  return OFFERED.includes(found) ? found : "en";
};

export function useLanguage(first: string, firstWords: Words): Spoken {
  const [spoken, setSpoken] = useState(() => ({ language: first, say: sayWith(firstWords) }));
  useLayoutEffect(() => {
    document.documentElement.lang = spoken.language;
    document.documentElement.dir = directionOf(spoken.language);
  }, [spoken]);
  const choose = async (language: string): Promise<void> => {
    const words = await wordsOf(language).catch(() => null);
    if (words) setSpoken({ language, say: sayWith(words) }); // else no network: it stays as it is
  };
  return { ...spoken, choose: (code) => void choose(code) };
}
