// What lies on this device, as it changes.

import { useEffect, useState } from "preact/hooks";
import { listen } from "./sender";
import { readAll, type Row } from "./store";

/** Null until it was looked at; empty where storage is refused. */
export function useRows(): readonly Row[] | null {
  const [rows, setRows] = useState<readonly Row[] | null>(null);
  useEffect(() => {
    let on = true;
    const look = (): void =>
      void readAll().then(
        (found) => on && setRows(found),
        () => on && setRows([]),
      );
    look();
    const stop = listen(look);
    return () => {
      on = false;
      stop();
    };
  }, []);
  return rows;
}
