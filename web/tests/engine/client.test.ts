import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Engine } from "../../src/engine/client";
import type { Answer, Ask, Cancel, Ready } from "../../src/engine/messages";
import { WHOLE } from "../../src/ui/state";

/** A worker that writes down what it is asked; the test answers for it. */
class Silent {
  static made: Silent[] = [];
  asked: (Ask | Cancel)[] = [];
  ended = false;
  onmessage: ((event: { data: Answer }) => void) | null = null;
  constructor() {
    Silent.made.push(this);
  }
  postMessage(ask: Ask | Cancel): void {
    this.asked.push(ask);
  }
  terminate(): void {
    this.ended = true;
  }
  answer(id: number, answer: object): void {
    this.onmessage!({ data: { id, ...answer } as Answer });
  }
}

const ready = (label: string): object => ({ kind: "ready", ready: { label } as Ready });
const photo = new Blob(["photo"]);
const settled = (): Promise<void> => new Promise((done) => queueMicrotask(done));

beforeEach(() => {
  Silent.made = [];
  vi.stubGlobal("Worker", Silent);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(): Promise<{ engine: Engine; worker: Silent; seen: string[] }> {
  const seen: string[] = [];
  const engine = new Engine("https://here/bundle/", () => undefined, ({ label }) => seen.push(label));
  const starting = engine.start();
  const worker = Silent.made[0]!;
  worker.answer(1, ready("one"));
  await starting;
  return { engine, worker, seen };
}

describe("the page's side of the worker", () => {
  it("fails a photo that was taken away at once, and tells the worker", async () => {
    const { engine, worker } = await started();
    const gone = new AbortController();
    const looking = engine.screen(photo, WHOLE, gone.signal);
    await settled();
    const asked = worker.asked.at(-1)!;
    expect(asked.kind).toBe("screen");
    gone.abort();
    await expect(looking).rejects.toMatchObject({ code: "aborted" });
    expect(worker.asked.at(-1)).toEqual({ id: asked.id, kind: "cancel" });
    expect(worker.ended).toBe(false);
    worker.answer(asked.id, { kind: "screened", screened: {} }); // too late: nobody waits
  });

  it("does not ask for a photo that is gone already", async () => {
    const { engine, worker } = await started();
    await expect(engine.screen(photo, WHOLE, AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
    expect(worker.asked.map((ask) => ask.kind)).toEqual(["start"]);
  });

  it("ends the worker after three idle minutes, and starts another with the same bundle", async () => {
    const { engine, worker, seen } = await started();
    vi.advanceTimersByTime(179_000);
    expect(worker.ended).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(worker.ended).toBe(true);
    const looking = engine.screen(photo, WHOLE);
    const second = Silent.made[1]!;
    expect(second.asked[0]).toMatchObject({ kind: "start", label: "one" });
    second.answer(second.asked[0]!.id, ready("two"));
    await vi.waitFor(() => expect(second.asked.at(-1)!.kind).toBe("screen"));
    second.answer(second.asked.at(-1)!.id, { kind: "screened", screened: { unstable: false } });
    await expect(looking).resolves.toEqual({ unstable: false });
    expect(seen).toEqual(["one", "two"]); // the page hears that it is another bundle
  });

  it("fails everything when the worker is ended", async () => {
    const { engine } = await started();
    const looking = engine.preview(photo, 512);
    engine.end();
    await expect(looking).rejects.toMatchObject({ code: "aborted" });
  });
});
