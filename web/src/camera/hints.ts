// What to do better, while the camera looks: the checks of a taken photo on what is in the square now.

import type { Manifest } from "../bundle/manifest";
import type { Pixels } from "../photo/pixels";
import { canonical, checkQuality, type CheckName } from "../photo/quality";
import { share, skinMask } from "../photo/skin";

/** "camera.hint.<hint>" in the message files. */
export type Hint = "dark" | "bright" | "far" | "blur" | "good";

/** Side of the copy that is looked at, px: the side that sharpness is measured at in a photo. */
export const LOOK_SIDE = 256;

// Light first: without it the others measure nothing. Far before blur: going closer changes what there is to focus on.
const ORDER: readonly (readonly [CheckName, Hint])[] = [
  ["dark", "dark"],
  ["bright", "bright"],
  ["skin", "far"],
  ["blur", "blur"],
];

/** @param pixels what is in the square, LOOK_SIDE px wide and high */
export function hintOf(pixels: Pixels, limits: Manifest["gate"]["quality"]): Hint {
  const skin = share(skinMask(canonical(pixels)));
  const checks = checkQuality({ pixels, width: pixels.width, height: pixels.height, format: "jpeg" }, limits, skin);
  const failed = new Set(checks.filter((check) => !check.passed).map((check) => check.name));
  return ORDER.find(([check]) => failed.has(check))?.[1] ?? "good";
}

/** A hint is told once it was found twice in a row: one shaken frame is not worth a word. */
export function steady(): (found: Hint) => Hint | null {
  let last: Hint | null = null;
  let told: Hint | null = null;
  return (found) => {
    if (found === last) told = found;
    last = found;
    return told;
  };
}
