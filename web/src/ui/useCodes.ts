// Codes of a result as they come: from the camera, from pictures chosen or pasted, or as text.

import { useLayoutEffect, useState } from "preact/hooks";
import { type Collected, collect, NOTHING } from "../qr/collect";
import { codesOfFile } from "../qr/scan";

export interface Codes {
  collected: Collected;
  /** Whether the last picture held no code. */
  none: boolean;
  heard: (texts: readonly string[]) => void;
  files: (chosen: readonly Blob[]) => Promise<void>;
  /** Begin with the next result. */
  again: () => void;
}

export function useCodes(): Codes {
  const [collected, setCollected] = useState<Collected>(NOTHING);
  const [none, setNone] = useState(false);
  const heard = (texts: readonly string[]): void => {
    setNone(false);
    setCollected((before) => texts.reduce(collect, before));
  };
  const files = async (chosen: readonly Blob[]): Promise<void> => {
    for (const file of chosen) {
      const texts = await codesOfFile(file).catch(() => []);
      if (texts.length) heard(texts);
      else setNone(true);
    }
  };
  useLayoutEffect(() => {
    const pasted = (event: ClipboardEvent): void => {
      const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
      if (!pictures.length) return;
      event.preventDefault();
      void files(pictures);
    };
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  }, []);
  return { collected, none, heard, files, again: () => setCollected(NOTHING) };
}
