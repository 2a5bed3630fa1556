import { describe, expect, test } from "vitest";
import { LANGUAGES } from "../../src/messages";
import rule from "../../src/messages/rule.en.json";
import ui from "../../src/messages/ui.en.json";
import questionnaire from "../../src/questions/questionnaire.json";
import { SEXES, YES_NO } from "../../src/screen/context";

const english: Record<string, string> = { ...rule, ...ui };
const holes = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();

describe.each(Object.entries(LANGUAGES))("%s", (_, language) => {
  test("has every sentence, with the same values in it", async () => {
    const words = await language.words();
    expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(words)) {
      expect(text.trim().length, key).toBeGreaterThan(0);
      expect(holes(text), key).toEqual(holes(english[key]!));
    }
  });
});

test("the questionnaire asks for the fields of the context, in the words of the page", () => {
  expect(questionnaire.item.map((item) => item.linkId).sort()).toEqual([...YES_NO, "age", "sex"].sort());
  for (const item of questionnaire.item) expect(english[`question.${item.linkId}`]).toBe(item.text);
  const sexes = questionnaire.item.flatMap((item) => item.answerOption ?? []).map((option) => option.valueCoding.code);
  expect(sexes).toEqual([...SEXES]);
});
