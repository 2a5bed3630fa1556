// Single keys: j and k through the list, 1 to 4 for the verdict, / for the search, ? for this help. They can be switched
// off (WCAG 2.1.4), for people whose speech program or shaking hand presses letters.

import { useLayoutEffect, useState } from "preact/hooks";

export const KEYS = ["j", "k", "1", "2", "3", "4", "/", "?"] as const;
export type Key = (typeof KEYS)[number];

const STORED = "poxlens-clinic-keys";

function stored(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // storage refused
  }
}

/** Whether single keys do something, and how to change that. */
export function useKeysOn(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(stored);
  return [
    on,
    (wanted) => {
      setOn(wanted);
      try {
        localStorage.setItem(STORED, wanted ? "on" : "off");
      } catch {
        // Storage refused: it holds until the page is closed.
      }
    },
  ];
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || isText(target));

const isText = (target: HTMLElement): boolean => target instanceof HTMLInputElement && !["radio", "checkbox", "range", "button"].includes(target.type);

/** `pressed` is told of a key unless something is being typed or a dialog is open. */
export function useKeys(on: boolean, pressed: (key: Key) => void): void {
  // With the commit: a key pressed before the next paint would still go to the referral that was shown before.
  useLayoutEffect(() => {
    if (!on) return undefined;
    const heard = (event: KeyboardEvent): void => {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || !(KEYS as readonly string[]).includes(key)) return;
      if (typing(target) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      pressed(key as Key);
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });
}
