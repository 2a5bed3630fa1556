// Who is signed in, asked once at the start. A session that ends is noticed at the next question, and where nobody is at
// the computer by the page itself, so that no referral stays on the screen of an empty room.

import { useEffect, useState } from "preact/hooks";
import { idleFor } from "../activity";
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

const LOOK = 15_000; // ms between looks whether anybody is still there
const [SHORTEST, LONGEST] = [60_000, 60 * 60_000]; // of a session without use, should the two clocks differ

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
  const leave = async (why: "left" | "ended" = "left"): Promise<void> => {
    if (why === "ended") setSign({ kind: "out", why }); // at once, whatever the network does
    await ask("DELETE", "/session").catch(() => undefined); // where it failed, the cookie ends by itself
    useToken("");
    if (why === "left") setSign({ kind: "out", why });
  };
  const session = sign.kind === "in" ? sign.session : null;
  useEffect(() => {
    if (!session) return undefined;
    const limit = Math.min(LONGEST, Math.max(SHORTEST, Date.parse(session.ends_at) - Date.now()));
    const timer = setInterval(() => void (idleFor() > limit && leave("ended")), LOOK);
    return () => clearInterval(timer);
  }, [session]);
  return { sign, entered, leave: () => leave(), again: () => void look() };
}

function signOf(why: unknown): Sign {
  if (!(why instanceof Fault)) return { kind: "offline", fault: why };
  if (why.status === 401) return { kind: "out", why: why.code === "session_ended" ? "ended" : null };
  return why.code === "foreign" ? { kind: "no_server" } : { kind: "offline", fault: why };
}
