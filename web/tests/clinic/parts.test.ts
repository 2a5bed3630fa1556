import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../../src/messages";
import { OFFERED, wordsOf } from "../../src/clinic/messages";
import own from "../../src/clinic/messages/en.json";
import { grouped, ticks } from "../../src/clinic/monitoring/scale";
import { hashOf, routeOf } from "../../src/clinic/route";
import { EVERYTHING, queryOf } from "../../src/clinic/worklist/filter";
import { FITTED, moved, NEAREST, zoomed } from "../../src/clinic/worklist/zoom";

describe("an address after #", () => {
  it("comes back as it went", () => {
    expect(routeOf(hashOf("worklist", "ab12"))).toEqual({ place: "worklist", part: "ab12" });
    expect(routeOf(hashOf("admin", "audit"))).toEqual({ place: "admin", part: "audit" });
  });
  it("is the worklist where it is none of ours", () => {
    for (const hash of ["", "#", "#/nowhere/1", "#/worklist/<script>"]) expect(routeOf(hash)).toEqual({ place: "worklist", part: "" });
  });
});

describe("a search", () => {
  it("tells a patient's code from a person's reference", () => {
    expect(queryOf({ ...EVERYTHING, text: "7K2M-09XA-QPRT" })).toBe("?code=7K2M-09XA-QPRT");
    expect(queryOf({ ...EVERYTHING, text: " 7k2m 09xa qprt " })).toBe("?code=7k2m+09xa+qprt");
    expect(queryOf({ ...EVERYTHING, text: "demo 009" })).toBe("?person=demo+009");
    expect(queryOf({ ...EVERYTHING, text: "Mississippian" })).toBe("?person=Mississippian");
  });
  it("asks for nothing where the queue is wanted", () => {
    expect(queryOf(EVERYTHING)).toBe("");
    expect(queryOf({ ...EVERYTHING, view: "closed", outcome: "refer" }, "x1")).toBe("?state=closed&outcome=refer&after=x1");
  });
});

describe("a photo in its frame", () => {
  it("grows around its middle and shrinks back to the whole", () => {
    expect(zoomed({ scale: 2, x: 30, y: -10 }, 2)).toEqual({ scale: 4, x: 60, y: -20 });
    expect(zoomed({ scale: 1.2, x: 5, y: 5 }, 0.5)).toEqual(FITTED);
    expect(zoomed(FITTED, 100).scale).toBe(NEAREST);
  });
  it("never leaves its frame", () => {
    expect(moved({ scale: 2, x: 0, y: 0 }, 500, -500, [200, 100])).toEqual({ scale: 2, x: 100, y: -50 });
    expect(moved(FITTED, 50, 50, [200, 100])).toEqual(FITTED);
  });
});

describe("a chart", () => {
  it("has round numbers on its axis", () => {
    expect(ticks(1)).toEqual([0, 1]);
    expect(ticks(6)).toEqual([0, 2, 4, 6]);
    expect(ticks(23)).toEqual([0, 10, 20, 30]);
    expect(ticks(4100)).toEqual([0, 2000, 4000, 6000]);
  });
  it("adds days up where there is no room, and loses none", () => {
    const days = Array.from({ length: 100 }, (_, i) => ({ day: `d${i}`, filed: i, answered: 1 }));
    const found = grouped(days, 30);
    expect(found).toHaveLength(25);
    expect(found.at(-1)).toEqual({ day: "d99", filed: 96 + 97 + 98 + 99, answered: 4 });
    expect(found.reduce((sum, one) => sum + one.filed, 0)).toBe(4950);
    expect(grouped(days, 100)).toEqual(days);
  });
});

describe("the clinic's words", () => {
  const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
  it.each(OFFERED)("in %s have every key, with the same names in them", async (language) => {
    const words = await wordsOf(language);
    for (const [key, text] of Object.entries(own)) expect(placeholders(words[key]!), key).toEqual(placeholders(text));
  });
  it("take no key from the app's", async () => {
    const app = await LANGUAGES["en"]!.words();
    expect(Object.keys(own).filter((key) => key in app)).toEqual([]);
  });
});
