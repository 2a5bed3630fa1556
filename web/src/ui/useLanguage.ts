// The page's language: its words, and the document's language, direction and title.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
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
  // Parts of the page ask the document for its language while they are drawn, so it comes before them.
  if (document.documentElement.lang !== language) document.documentElement.lang = language;
  useLayoutEffect(() => {
    document.documentElement.dir = directionOf(language);
    document.title = `poxlens – ${say(title)}`;
  }, [language, say, title]);
  const latest = useRef(first);
  const choose = async (code: string): Promise<void> => {
    latest.current = code;
    const words = await LANGUAGES[code]!.words().catch(() => null);
    if (!words || latest.current !== code) return; // no network, and not kept: it stays as it is
    setLanguage(code); // both are drawn at once
    setSay(() => sayWith(words));
  };
  return { language, say, choose: (code) => void choose(code) };
}
