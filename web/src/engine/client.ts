// The page's side of the worker: started when needed, ended when idle, so that its memory comes back.

import type { Part } from "../photo/decode";
import type { Screened } from "../screen/screener";
import type { Answer, Ask, Cancel, Ready } from "./messages";

const IDLE = 180_000; // ms

/** A fault that the worker told: its code, for a message, and its words, for the console. */
export class EngineFault extends Error {
  constructor(
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

export interface Preview {
  image: ImageData;
  width: number;
  height: number;
}

type Unsent<T> = T extends Ask ? Omit<T, "id"> : never;

export class Engine {
  private worker: Worker | null = null;
  private starting: Promise<Ready> | null = null;
  private next = 1;
  private idle: ReturnType<typeof setTimeout> | undefined;
  /** The bundle that this page used first: a worker that is started again takes the same while the device has it. */
  private label: string | null = null;
  private readonly waiting = new Map<number, { done: (answer: Answer) => void; fail: (fault: Error) => void }>();

  /** @param changed told of each start: a worker that was ended while idle may come back with another bundle */
  constructor(
    private readonly base: string,
    private readonly progress: (share: number) => void,
    private readonly changed: (ready: Ready) => void = () => undefined,
  ) {}

  /** Load the model, check it and keep it; the same promise for everyone who asks. */
  start(): Promise<Ready> {
    this.starting ??= this.ask({ kind: "start", base: this.base, label: this.label }).then((answer) => {
      if (answer.kind !== "ready") throw new Error(answer.kind);
      this.label = answer.ready.label;
      this.changed(answer.ready);
      return answer.ready;
    });
    const mine = this.starting;
    mine.catch(() => {
      if (this.starting === mine) this.end();
    });
    return mine;
  }

  async preview(file: Blob, side: number): Promise<Preview> {
    const answer = await this.ask({ kind: "preview", file, side });
    if (answer.kind !== "preview") throw new Error(answer.kind);
    return answer;
  }

  /** @param signal for a photo that was taken away: fails with the code "aborted" */
  async screen(file: Blob, part: Part, signal?: AbortSignal): Promise<Screened> {
    await this.start();
    const answer = await this.ask({ kind: "screen", file, part }, signal);
    if (answer.kind !== "screened") throw new Error(answer.kind);
    return answer.screened;
  }

  /** Label of a newer bundle that was fetched for the next start, or null. */
  async refresh(): Promise<string | null> {
    const answer = await this.ask({ kind: "refresh" });
    return answer.kind === "refreshed" ? answer.label : null;
  }

  /** Stop at once; what was asked fails with the code "aborted". */
  end(): void {
    clearTimeout(this.idle);
    this.worker?.terminate();
    this.worker = this.starting = null;
    for (const { fail } of this.waiting.values()) fail(new EngineFault("aborted", "the worker was ended"));
    this.waiting.clear();
  }

  private ask(question: Unsent<Ask>, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted) return Promise.reject(new EngineFault("aborted", "not wanted any more"));
    const worker = (this.worker ??= this.open());
    clearTimeout(this.idle);
    const id = this.next++;
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail });
      worker.postMessage({ ...question, id });
      signal?.addEventListener("abort", () => {
        if (!this.waiting.delete(id)) return; // answered
        worker.postMessage({ id, kind: "cancel" } satisfies Cancel);
        fail(new EngineFault("aborted", "not wanted any more"));
        this.rest();
      });
    });
  }

  private open(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.told(data);
    worker.onerror = (event) => {
      const failed = [...this.waiting.values()];
      this.waiting.clear();
      failed.forEach(({ fail }) => fail(new EngineFault("broken", event.message ?? "the worker could not start")));
      this.end();
    };
    return worker;
  }

  private told(answer: Answer): void {
    if (answer.kind === "progress") return this.progress(answer.total ? answer.done / answer.total : 0);
    const asked = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if (answer.kind === "fault") asked?.fail(new EngineFault(answer.fault, answer.detail));
    else asked?.done(answer);
    this.rest();
  }

  /** Ended after a while without a question. */
  private rest(): void {
    clearTimeout(this.idle);
    if (!this.waiting.size) this.idle = setTimeout(() => this.end(), IDLE);
  }
}
