// Whether somebody is at the computer: a page that asks for what is new all night would keep the session open all night.

let last = Date.now();
for (const name of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(name, () => void (last = Date.now()), { capture: true, passive: true });

/** ms since the last touch of mouse, keyboard or screen. */
export const idleFor = (): number => Date.now() - last;
