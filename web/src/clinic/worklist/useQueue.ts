// The lines of the worklist: fetched for a filter, refreshed while the page is looked at, and continued at its end.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { idleFor } from "../activity";
import { get } from "../api/client";
import type { Counts, Item, WorklistPage } from "../api/types";
import { type Filter, queryOf } from "./filter";

const EVERY = 30_000; // ms between looks for what is new
const RESTING = 5 * 60_000; // ms without a touch, after which it stops looking, so that the session can end
const TYPED = 350; // ms of rest before a search is sent

export interface Queue {
  items: readonly Item[];
  counts: Counts | null;
  /** There are more lines. */
  next: string | null;
  loading: boolean;
  fault: unknown;
  more: () => Promise<void>;
  refresh: () => void;
}

export function useQueue(filter: Filter): Queue {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [counts, setCounts] = useState<Counts | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [fault, setFault] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const asking = useRef<AbortSignal | null>(null); // of the filter that is shown
  const continued = useRef(false); // a refresh would throw away what was continued
  const { view, outcome, text } = filter;

  const load = async (signal: AbortSignal): Promise<void> => {
    try {
      const [page, told] = await Promise.all([
        get<WorklistPage>(`/worklist${queryOf(filter)}`, signal),
        get<Counts>("/worklist/counts", signal),
      ]);
      setItems(page.items);
      setNext(page.next);
      setCounts(told);
      setFault(null);
      continued.current = false;
    } catch (why) {
      if (!signal.aborted) setFault(why);
    } finally {
      if (!signal.aborted) setLoading(false);
    }
  };
  useLayoutEffect(() => setLoading(true), [view, outcome, text]);
  useEffect(() => {
    const stop = new AbortController();
    asking.current = stop.signal;
    const timer = setTimeout(() => void load(stop.signal), text ? TYPED : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [view, outcome, text, round]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && !continued.current && idleFor() < RESTING) setRound((n) => n + 1);
    }, EVERY);
    return () => clearInterval(timer);
  }, []);
  const more = async (): Promise<void> => {
    const signal = asking.current;
    if (!next || !signal) return;
    const before = continued.current;
    continued.current = true;
    try {
      const page = await get<WorklistPage>(`/worklist${queryOf(filter, next)}`, signal);
      const known = new Set(items.map(({ id }) => id));
      setItems([...items, ...page.items.filter(({ id }) => !known.has(id))]);
      setNext(page.next);
    } catch (why) {
      if (signal.aborted) return; // another filter was chosen meanwhile, and its lines are shown
      continued.current = before;
      setFault(why);
    }
  };
  return { items, counts, next, loading, fault, more, refresh: () => setRound((n) => n + 1) };
}
