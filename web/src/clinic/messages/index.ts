// The words of the clinic's pages: those of the phone app, and their own. English is in the first download.

import { LANGUAGES, type Words } from "../../messages";
import own from "./en.json";

/** Translations that nobody who speaks the language from home has read yet are marked so, as the app's are. */
const OTHERS: Readonly<Record<string, () => Promise<Words>>> = {
  fr: async () => (await import("./fr.json")).default,
  es: async () => (await import("./es.json")).default,
  pt: async () => (await import("./pt.json")).default,
  sw: async () => (await import("./sw.json")).default,
};

/** Languages that both the app's and the clinic's words are there in. */
export const OFFERED: readonly string[] = ["en", ...Object.keys(OTHERS)];

export async function wordsOf(language: string): Promise<Words> {
  const [app, clinic] = await Promise.all([LANGUAGES[language]!.words(), OTHERS[language]?.() ?? own]);
  return { ...own, ...app, ...clinic };
}
