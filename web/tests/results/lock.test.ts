import { describe, expect, test } from "vitest";
import { ITERATIONS, newLock, openLock, seal, unseal, WrongPassphrase } from "../../src/results/lock";

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
  const { lock, key } = await newLock("four plain words here", FEW);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", key));
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
