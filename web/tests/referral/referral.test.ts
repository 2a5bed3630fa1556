import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { type NotFiled, refer } from "../../src/referral";
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

describe("filing", () => {
  const referral = { json: "{}", id: "1", photos: ["/9j/"], training: true, person: " gate 7 " };
  const with_ = async (answer: () => Promise<Response>, stop?: AbortSignal): Promise<string> => {
    const asked = vi.spyOn(globalThis, "fetch").mockImplementation((_, init) => {
      const { signal, body } = init!;
      expect(JSON.parse(body as string)).toMatchObject({ consent: { photo: true, training: true }, photos: ["/9j/"], person: "gate 7" });
      return Promise.race([answer(), new Promise<never>((_, fail) => signal!.addEventListener("abort", () => fail(new Error("aborted"))))]);
    });
    try {
      return await refer("https://clinic.example", "poxd_1", referral, stop);
    } catch (fault) {
      return (fault as NotFiled).why;
    } finally {
      asked.mockRestore();
    }
  };
  const told = (status: number, body: unknown): (() => Promise<Response>) => async () => new Response(JSON.stringify(body), { status });

  it("gives the code, or why there is none", async () => {
    expect(await with_(told(201, { code: "AB-12" }))).toBe("AB-12");
    expect(await with_(told(401, {}))).toBe("token");
    expect(await with_(told(422, { error: { message: "no" } }))).toBe("refused");
    expect(await with_(told(429, {}))).toBe("busy");
    expect(await with_(told(200, "a page that asks for a login"))).toBe("busy"); // a café, not the clinic
    expect(await with_(() => Promise.reject(new TypeError("no network")))).toBe("offline");
  });

  it("ends at once when it is stopped", async () => {
    const stop = new AbortController();
    const waiting = with_(() => new Promise(() => undefined), stop.signal);
    stop.abort();
    expect(await waiting).toBe("offline");
  });
});
