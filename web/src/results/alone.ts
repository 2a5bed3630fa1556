// What is read, encrypted and written again must not be changed by anybody meanwhile: one at a time, in all tabs.

let last: Promise<unknown> = Promise.resolve();

/** Not inside itself: it would wait for ever. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  if (globalThis.navigator?.locks) return navigator.locks.request("poxlens-kept", work) as Promise<T>;
  const mine = last.then(work, work); // no TLS, or Safari before 15.4: in this tab at least
  last = mine.catch(() => undefined);
  return mine;
}
