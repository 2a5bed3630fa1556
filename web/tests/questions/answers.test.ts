import { expect, test } from "vitest";
import rule from "../../src/messages/rule.en.json";
import ui from "../../src/messages/ui.en.json";
import { type Answers, asked, dangers, PLACES, SINCE, withAnswer } from "../../src/questions/answers";
import questionnaire from "../../src/questions/questionnaire.json";
import { SEXES, YES_NO } from "../../src/screen/context";

const english: Record<string, string> = { ...rule, ...ui };

test("the questionnaire asks for the fields of the rule and four more, in the words of the page", () => {
  const more = ["where", "since", "pregnant", "weak_immunity"];
  expect(questionnaire.item.map((item) => item.linkId).sort()).toEqual([...YES_NO, "age", "sex", ...more].sort());
  for (const { linkId, text, answerOption } of questionnaire.item) {
    expect(english[`question.${linkId}`]).toBe(text);
    for (const { valueCoding } of answerOption ?? [])
      if ("display" in valueCoding) expect(english[`question.${linkId}.${valueCoding.code}`]).toBe(valueCoding.display);
  }
  const codes = (linkId: string): (string | undefined)[] | undefined =>
    questionnaire.item.find((item) => item.linkId === linkId)?.answerOption?.map((option) => option.valueCoding.code);
  expect(codes("sex")).toEqual([...SEXES]);
  expect(codes("where")).toEqual([...PLACES]);
  expect(codes("since")).toEqual([...SINCE]);
});

test("pregnancy is not asked of a man, and an answer to it goes when he turns out to be one", () => {
  expect(asked("pregnant", {})).toBe(true);
  const before: Answers = { sex: "female", pregnant: true };
  expect(withAnswer(before, "sex", "male")).toEqual({ sex: "male" });
  expect(withAnswer(before, "sex", undefined)).toEqual({ pregnant: true });
  expect(questionnaire.item.filter((item) => "enableWhen" in item).map((item) => item.linkId)).toEqual(["pregnant"]);
});

test("an answer that is taken back is absent, not undefined", () => {
  expect(Object.keys(withAnswer({ fever: true }, "fever", undefined))).toEqual([]);
});

test.each<[Answers, string[]]>([
  [{}, []],
  [{ pregnant: false, weak_immunity: false, age: 8, where: ["face"] }, []],
  [{ age: 7.9 }, ["child"]],
  [{ age: 0, weak_immunity: true, pregnant: true, where: ["back", "eyes"] }, ["eyes", "pregnant", "child", "immunity"]],
])("dangers of %j", (answers, expected) => {
  expect(dangers(answers)).toEqual(expected);
});
