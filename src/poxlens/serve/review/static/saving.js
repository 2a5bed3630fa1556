// Saving one decision: it counts once the program has it on disk. Until then it is kept here and sent again.

const WAITS = [1, 2, 4, 8, 15]; // s between tries
const PATIENCE = 15_000; // ms for one answer

/** A refusal that sending again cannot mend. */
export class Refused extends Error {
  constructor(code, message) { super(message); this.code = code; }
}

/** Ask the program for JSON. */
export async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Error("The program is not answering. It may have been stopped: start it again with the same command.");
  }
  const body = await reply.json().catch(() => null);
  if (reply.ok && body) return body;
  const message = body?.error?.message ?? `The program answered with an error (${reply.status}).`;
  if ([400, 403, 404, 409, 413, 421].includes(reply.status)) throw new Refused(body?.error?.code ?? "refused", message);
  throw new Error(message);
}

/** Sends decisions to `path` one at a time; `tell({why, seconds})` while one is not saved, `tell(null)` once it is. */
export class Saver {
  #tell;
  #path;
  #wake = null;

  constructor(tell, path = "/api/decisions") {
    this.#tell = tell;
    this.#path = path;
    this.pending = null;
    addEventListener("beforeunload", (event) => { if (this.pending) event.preventDefault(); });
  }

  /** Try again now. */
  now() { this.#wake?.(); }

  /** Save a decision; resolves with the program's answer once it is on disk. Throws Refused. */
  async save(wish) {
    this.pending = wish;
    try {
      for (let tries = 0; ; tries += 1) {
        try {
          const body = JSON.stringify(wish);
          const reply = await ask(this.#path, { method: "POST", body, headers: { "content-type": "application/json" } });
          if (tries) this.#tell(null);
          return reply;
        } catch (fault) {
          if (fault instanceof Refused) { this.#tell(null); throw fault; }
          await this.#wait(fault.message, WAITS[Math.min(tries, WAITS.length - 1)]);
        }
      }
    } finally {
      this.pending = null;
    }
  }

  async #wait(why, seconds) {
    for (let left = seconds; left > 0; left -= 1) {
      this.#tell({ why, seconds: left });
      const woken = await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), 1000);
        this.#wake = () => { clearTimeout(timer); resolve(true); };
      });
      this.#wake = null;
      if (woken) break;
    }
    this.#tell({ why, seconds: 0 });
  }
}
