import { describe, expect, test } from "vitest";
import { EMPTY, type PhotoItem, reduce, type State, type Step } from "../../src/ui/state";

const agreed: State = reduce(EMPTY, { kind: "agree", agreement: { by: "self", intimate: false } });
const led = (state: State, step: Step): Step => reduce(state, { kind: "go", step }).step;

test.each<Step>(["photos", "crop", "questions", "answer", "summary"])("no %s before it is agreed to", (step) => {
  expect(led(EMPTY, step)).toBe("care");
});

test.each<Step>(["welcome", "care", "results", "policy"])("%s is always open", (step) => {
  expect(led(EMPTY, step)).toBe(step);
});

describe("agreed to", () => {
  test.each<Step>(["photos", "crop", "questions", "answer", "summary"])("%s without a photo leads to the photos", (step) => {
    expect(led(agreed, step)).toBe("photos");
  });

  test("all steps but the crop are open once every photo was looked at", () => {
    const item = { id: 1, screened: null, preview: null } as PhotoItem;
    const waiting = reduce(agreed, { kind: "add", item });
    expect(led(waiting, "answer")).toBe("photos");
    const looked = reduce(waiting, { kind: "change", id: 1, with: { screened: {} as PhotoItem["screened"] } });
    expect((["questions", "answer", "summary", "crop"] as const).map((step) => led(looked, step))).toEqual(["questions", "answer", "summary", "photos"]);
    expect(reduce(looked, { kind: "remove all" }).photos).toEqual([]);
  });

  test("a new person is asked again, and nothing of the one before is left", () => {
    expect(reduce({ ...agreed, answers: { fever: true } }, { kind: "reset" })).toEqual(EMPTY);
  });
});
