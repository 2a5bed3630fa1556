// A list of the server's that is asked for when it is first shown, and anew after a change.

import { useEffect, useState } from "preact/hooks";
import { get } from "../api/client";

export interface Listed<T> {
  list: readonly T[] | null;
  fault: unknown;
  again: () => Promise<void>;
}

export function useList<T>(path: string): Listed<T> {
  const [list, setList] = useState<readonly T[] | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const again = async (): Promise<void> => {
    try {
      setList(await get<T[]>(path));
      setFault(null);
    } catch (why) {
      setFault(why);
    }
  };
  useEffect(() => void again(), [path]);
  return { list, fault, again };
}
