import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { directionOf, LANGUAGES } from "../../src/messages";
import rule from "../../src/messages/rule.en.json";
import ui from "../../src/messages/ui.en.json";
import { grade } from "./grade";

const english: Record<string, string> = { ...rule, ...ui };
const holes = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

test("five languages, all but English not reviewed yet", () => {
  const reviewed = Object.entries(LANGUAGES).map(([code, { reviewed: done }]) => [code, done]);
  expect(Object.fromEntries(reviewed)).toEqual({ en: true, fr: false, es: false, pt: false, sw: false });
});

describe.each(Object.entries(LANGUAGES))("%s", (code, language) => {
  test.runIf(code !== "en")("has the sentences of its file under their keys", async () => {
    const file = JSON.parse(readFileSync(`src/messages/${code}.json`, "utf8")) as Record<string, string>;
    expect(await language.words()).toEqual(file);
  });

  test("has every sentence, with the same values in it", async () => {
    const words = await language.words();
    expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(words)) {
      expect(text.trim().length, key).toBeGreaterThan(0);
      expect(holes(text), key).toEqual(holes(english[key]!));
    }
  });

  test("is translated", async () => {
    const words = await language.words();
    const long = Object.keys(english).filter((key) => english[key]!.split(" ").length > 3);
    const same = long.filter((key) => words[key] === english[key]);
    expect(same).toEqual(code === "en" ? long : []);
  });
});

test("nothing is asked for that has no words", async () => {
  const sources = import.meta.glob("../../src/ui/*.tsx", { query: "?raw", import: "default", eager: true });
  const asked = Object.values(sources).flatMap((text) => [...String(text).matchAll(/say\("([a-z_.0-9]+)"/g)].map(([, key]) => key!));
  expect(new Set(asked).size).toBeGreaterThan(100);
  expect([...new Set(asked)].filter((key) => !(key in english))).toEqual([]);
});

test("Arabic and its neighbours run from the right", () => {
  expect(["ar", "fa", "he", "ur", "en", "sw"].map(directionOf)).toEqual(["rtl", "rtl", "rtl", "rtl", "ltr", "ltr"]);
});

describe("plain words", () => {
  test("the measure knows a plain sentence from a learned one", () => {
    expect(grade("The cat sat on the mat. It was warm.")).toBeLessThan(2);
    expect(grade("Dermatological classification necessitates multidisciplinary interpretation of heterogeneous morphologies.")).toBeGreaterThan(20);
  });

  test("what a person reads takes six or seven years of school on average", () => {
    // Sentences of the page, not labels; "about" and "summary" speak to whoever runs the page or treats the person.
    const read = Object.entries(english).filter(([key, text]) => /[.?:]$/.test(text) && !/^(about|summary|unreadable)\./.test(key));
    expect(read.length).toBeGreaterThan(90);
    expect(grade(read.map(([, text]) => text).join(" "))).toBeLessThan(7);
  });
});
