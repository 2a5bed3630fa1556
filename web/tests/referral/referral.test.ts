import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pause } from "../../src/referral/pause";

describe("the pause before the next try", () => {
  it("doubles up to half an hour", () => {
    expect([1, 2, 3, 10, 40].map((tries) => pause(tries, 0))).toEqual([5_000, 10_000, 20_000, 1_800_000, 1_800_000]);
  });
  it("is by chance up to a quarter shorter", () => {
    expect(pause(1, 1)).toBe(3_750);
    expect(pause(10, 0.5)).toBe(1_575_000);
  });
});

describe("the words of sending", () => {
  const folder = new URL("../../src/referral/messages/", import.meta.url);
  const read = (name: string): Record<string, string> => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Record<string, string>;
  const names = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
  it.each(readdirSync(folder))("are all in %s", (file) => {
    const [english, found] = [read("en.json"), read(file)];
    expect(Object.keys(found)).toEqual(Object.keys(english));
    for (const key of Object.keys(english)) expect(names(found[key]!), key).toEqual(names(english[key]!));
  });
});
