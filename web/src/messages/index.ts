// The words of the page, by language. English is in the first download; others are fetched when chosen.

import rule from "./rule.en.json";
import ui from "./ui.en.json";

export type Words = Readonly<Record<string, string>>;

const english: Words = { ...rule, ...ui };

export interface Language {
  name: string;
  /** Whether a native speaker has read it. */
  reviewed: boolean;
  words: () => Promise<Words>;
}

/** The build makes a list of a message file, in the order of English (words.ts beside vite.config.ts). */
async function named(file: Promise<{ default: unknown }>): Promise<Words> {
  const sentences = (await file).default as readonly string[];
  return Object.fromEntries(Object.keys(english).map((key, i) => [key, sentences[i]!]));
}

export const LANGUAGES: Readonly<Record<string, Language>> = {
  en: { name: "English", reviewed: true, words: async () => english },
  fr: { name: "Français", reviewed: false, words: () => named(import("./fr.json")) },
  es: { name: "Español", reviewed: false, words: () => named(import("./es.json")) },
  pt: { name: "Português", reviewed: false, words: () => named(import("./pt.json")) },
  sw: { name: "Kiswahili", reviewed: false, words: () => named(import("./sw.json")) },
};

/** Languages written from right to left; the style uses logical sides alone, so they need nothing more. */
const RIGHT_TO_LEFT = ["ar", "dv", "fa", "ha-Arab", "he", "ps", "ur"];

export const directionOf = (code: string): "ltr" | "rtl" => (RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr");

/** A sentence with its {names} filled in. A key that is missing shows English, then itself. */
export type Say = (key: string, values?: Readonly<Record<string, string | number>>) => string;

export function sayWith(words: Words): Say {
  return (key, values = {}) => {
    const text = words[key] ?? english[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return typeof value === "number" ? value.toLocaleString(document.documentElement.lang) : (value ?? whole);
    });
  };
}

/** The language to begin with: the one that was chosen, else the first of the browser's that is there. */
export function firstLanguage(): string {
  const wanted = [stored(), ...navigator.languages.map((tag) => tag.split("-")[0]!.toLowerCase())];
  return wanted.find((code) => code !== null && code in LANGUAGES) ?? "en";
}

const KEY = "poxlens-language"; // the only thing the page stores of a person's doing; it says nothing of a rash

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage refused
  }
}

export function remember(code: string): void {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    // Storage refused: it is asked again next time.
  }
}
