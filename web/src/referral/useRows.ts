// What lies on this device, as it changes.

import { useLayoutEffect, useState } from "preact/hooks";
import { listen } from "./sender";
import { readAll, type Row } from "./store";

/** Null until it was looked at; empty where storage is refused. */
export function useRows(): readonly Row[] | null {
  const [rows, setRows] = useState<readonly Row[] | null>(null);
  useLayoutEffect(() => {
    let latest = 0;
    const look = (): void => {
      const mine = ++latest; // an earlier look may end later
      const show = (found: readonly Row[]): void => void (mine === latest && setRows(found));
      void readAll().then(show, () => show([]));
    };
    look();
    const stop = listen(look);
    return () => {
      latest = Number.POSITIVE_INFINITY;
      stop();
    };
  }, []);
  return rows;
}
