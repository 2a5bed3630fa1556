import { randomBytes } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { ITERATIONS, newLock, opened, openLock, seal, sealed, unseal, WrongPassphrase } from "../../src/results/lock";

const TEXT = new TextEncoder().encode("a result, not a photo");
const FEW = 1_000; // iterations; what they cost is not what is tested

test("as many iterations as OWASP asks for", () => {
  expect(ITERATIONS).toBeGreaterThanOrEqual(600_000);
});

test("the passphrase opens what was sealed, however it was composed", async () => {
  const { lock, key } = await newLock("mot de passe\u0301", FEW);
  const sealed = await seal(key, TEXT);
  const opened = await openLock(lock, "mot de passé".normalize("NFC"));
  expect(await unseal(opened, sealed)).toEqual(TEXT);
});

test("nothing of the text or the key lies open", async () => {
  const made = vi.spyOn(crypto, "getRandomValues");
  const drawn: Uint8Array[] = [];
  made.mockImplementation((bytes) => {
    const filled = Object.assign(bytes as Uint8Array, randomBytes((bytes as Uint8Array).length));
    drawn.push(filled.slice());
    return bytes;
  });
  const { lock, key } = await newLock("four plain words here", FEW);
  made.mockRestore();
  const raw = drawn.find((bytes) => bytes.length === 32)!; // as it was before it was overwritten
  await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow(); // no script can read it either
  const lying = [lock.salt, lock.wrapped.nonce, lock.wrapped.data, (await seal(key, TEXT)).data].map((bytes) => Buffer.from(bytes));
  for (const bytes of lying) {
    expect(bytes.includes(Buffer.from(raw))).toBe(false);
    expect(bytes.includes(Buffer.from("result"))).toBe(false);
  }
});

describe("refused", () => {
  test.each(["four plain words Here", "", "four plain words here "])("%j", async (typed) => {
    const { lock } = await newLock("four plain words here", FEW);
    await expect(openLock(lock, typed)).rejects.toBeInstanceOf(WrongPassphrase);
  });

  test("a changed byte", async () => {
    const { key } = await newLock("four plain words here", FEW);
    const sealed = await seal(key, TEXT);
    sealed.data[3]! ^= 1;
    await expect(unseal(key, sealed)).rejects.toThrow();
  });
});

test("the same text is never sealed alike, and two locks have no key in common", async () => {
  const [a, b] = [await newLock("four plain words here", FEW), await newLock("four plain words here", FEW)];
  expect((await seal(a.key, TEXT)).data).not.toEqual((await seal(a.key, TEXT)).data);
  await expect(unseal(b.key, await seal(a.key, TEXT))).rejects.toThrow();
});

describe("a text as it is written down", () => {
  test("is encrypted where there is a key, and opened by that key alone", async () => {
    const [{ key }, { key: other }] = [await newLock("four plain words here", FEW), await newLock("four plain words here", FEW)];
    const envelope = await sealed("poxd_a-token", key);
    expect(JSON.stringify(envelope)).not.toContain("poxd");
    expect(await opened(envelope, key)).toBe("poxd_a-token");
    await expect(opened(envelope, other)).rejects.toThrow();
    await expect(opened(envelope, null)).rejects.toThrow("no key");
  });

  test("is itself where the browser cannot encrypt", async () => {
    expect(await sealed("a text", null)).toEqual({ text: "a text" });
    expect(await opened({ text: "a text" }, null)).toBe("a text");
  });
});
