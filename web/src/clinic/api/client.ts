// Questions to the clinic's server: JSON both ways, faults as one kind, and the token against requests from other sites.

/** What the server refused, or that it did not answer (status 0, code "network"). */
export class Fault extends Error {
  override readonly name = "Fault";

  constructor(
    readonly status: number,
    /** Stable; its sentence is in the message files under "fault.<code>" where the page has its own. */
    readonly code: string,
    message: string,
    /** Seconds to wait before asking again, where the server said so. */
    readonly wait: number | null = null,
  ) {
    super(message);
  }
}

/** Of the session; in memory alone, as the cookie is the browser's. */
let csrf = "";
let onEnd: () => void = () => undefined;

export const useToken = (token: string): void => void (csrf = token);

/** Called when an answer says that nobody is signed in any more. */
export const whenEnded = (tell: () => void): void => void (onEnd = tell);

let confirm: (() => Promise<boolean>) | null = null;

/** Called when the server asks for the password again; what it gives says whether the request may be sent once more. */
export const whenToConfirm = (asking: (() => Promise<boolean>) | null): void => void (confirm = asking);

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface More {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** The password was asked for already. */
  confirmed?: boolean;
}

/** @throws Fault; DOMException where it was aborted */
export async function ask<T>(method: Method, path: string, body?: unknown, more: More = {}): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", ...more.headers };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  let answer: Response;
  try {
    answer = await fetch(`/v1${path}`, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(more.signal ? { signal: more.signal } : {}),
    });
  } catch (why) {
    if (more.signal?.aborted) throw why;
    throw new Fault(0, "network", "The server did not answer.");
  }
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
  const fault = await faultOf(answer);
  if (fault.code === "confirm" && !more.confirmed && (await confirm?.())) return ask<T>(method, path, body, { ...more, confirmed: true });
  if (fault.status === 401 && (fault.code === "session_ended" || fault.code === "signed_out")) onEnd();
  throw fault;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask<T>("GET", path, undefined, signal ? { signal } : {});
export const post = <T>(path: string, body: unknown = {}): Promise<T> => ask<T>("POST", path, body);

async function faultOf(answer: Response): Promise<Fault> {
  const seconds = Number(answer.headers.get("retry-after"));
  const wait = answer.headers.has("retry-after") && Number.isFinite(seconds) ? seconds : null;
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    return new Fault(answer.status, error.code, error.message, wait);
  } catch {
    return new Fault(answer.status, "foreign", `HTTP ${answer.status}`, wait); // not this server's kind of answer
  }
}
