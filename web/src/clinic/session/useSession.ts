// Who is signed in, asked once at the start; a session that ends is noticed at the next question.

import { useEffect, useState } from "preact/hooks";
import { ask, Fault, get, useToken, whenEnded } from "../api/client";
import type { SessionOut } from "../api/types";

export type Sign =
  | { kind: "asking" }
  | { kind: "out"; why: "ended" | "left" | null }
  /** This address has no clinic's server: the pages were put on a static host. */
  | { kind: "no_server" }
  | { kind: "offline"; fault: unknown }
  | { kind: "in"; session: SessionOut };

export interface Signing {
  sign: Sign;
  entered: (session: SessionOut) => void;
  leave: () => Promise<void>;
  again: () => void;
}

export function useSession(): Signing {
  const [sign, setSign] = useState<Sign>({ kind: "asking" });
  const entered = (session: SessionOut): void => {
    useToken(session.csrf);
    setSign({ kind: "in", session });
  };
  const look = async (): Promise<void> => {
    try {
      entered(await get<SessionOut>("/session"));
    } catch (why) {
      setSign(signOf(why));
    }
  };
  useEffect(() => {
    whenEnded(() => setSign((now) => (now.kind === "in" ? { kind: "out", why: "ended" } : now)));
    void look();
    // A page that was left open overnight says so at once when one comes back to it, not at the first click.
    const shown = (): void => void (document.visibilityState === "visible" && quietly());
    const quietly = (): void => void get<SessionOut>("/session").catch(() => undefined);
    document.addEventListener("visibilitychange", shown);
    return () => document.removeEventListener("visibilitychange", shown);
  }, []);
  const leave = async (): Promise<void> => {
    await ask("DELETE", "/session").catch(() => undefined); // where it failed, the cookie ends by itself
    useToken("");
    setSign({ kind: "out", why: "left" });
  };
  return { sign, entered, leave, again: () => void look() };
}

function signOf(why: unknown): Sign {
  if (!(why instanceof Fault)) return { kind: "offline", fault: why };
  if (why.status === 401) return { kind: "out", why: why.code === "session_ended" ? "ended" : null };
  return why.code === "foreign" ? { kind: "no_server" } : { kind: "offline", fault: why };
}
