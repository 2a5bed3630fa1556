import { describe, expect, it } from "vitest";
import { settingsOf } from "../src/settings";

describe("settings", () => {
  it("takes what a deployment set", () => {
    const found = { prevalence: 0.3, clinic: "https://clinic.example:8443" };
    expect(settingsOf(found)).toEqual(found);
    const here = { prevalence: 0.1, clinic: "http://127.0.0.1:8740" }; // no network is in between
    expect(settingsOf(here)).toEqual(here);
  });

  it("takes the default for what cannot be used", () => {
    const defaults = { prevalence: 0.1, clinic: null };
    for (const found of [null, 3, {}, { prevalence: 1 }, { prevalence: "0.3" }, { clinic: "http://clinic.example" }])
      expect(settingsOf(found)).toEqual(defaults);
    for (const clinic of ["https://clinic.example/path", "javascript:0", "https://", "http://127.0.0.1.example", "http://localhost/x", 7])
      expect(settingsOf({ clinic })).toEqual(defaults);
  });
});
