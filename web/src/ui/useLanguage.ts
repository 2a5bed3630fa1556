// The page's language: its words, and the document's language, direction and title.

import { useEffect, useState } from "preact/hooks";
import { directionOf, LANGUAGES, type Say, sayWith, type Words } from "../messages";

export interface Spoken {
  language: string;
  say: Say;
  choose: (code: string) => void;
}

/** `title` is the key of the document's title. */
export function useLanguage(first: string, firstWords: Words, title: string): Spoken {
  const [language, setLanguage] = useState(first);
  const [say, setSay] = useState<Say>(() => sayWith(firstWords));
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dir = directionOf(language);
    document.title = `poxlens – ${say(title)}`;
  }, [language, say, title]);
  const choose = async (code: string): Promise<void> => {
    const words = await LANGUAGES[code]!.words().catch(() => null);
    if (!words) return; // no network, and not kept: it stays as it is
    setLanguage(code);
    setSay(() => sayWith(words));
  };
  return { language, say, choose: (code) => void choose(code) };
}
