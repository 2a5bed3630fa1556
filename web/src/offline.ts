// The page without a network: its service worker, and how to get rid of everything again.

import { forget } from "./bundle/store";

/** Register the service worker; resolves to whether the page's files are kept. */
export async function keepPage(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return false;
  try {
    await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
    await navigator.serviceWorker.ready;
    void navigator.storage?.persist?.();
    return true;
  } catch {
    return false; // no TLS, or storage refused
  }
}

/** Remove the page, the model, and the chosen language from this device. */
export async function forgetAll(): Promise<void> {
  await forget().catch(() => undefined);
  try {
    localStorage.clear();
    for (const name of await caches.keys()) if (name.startsWith("poxlens-")) await caches.delete(name);
    for (const found of await navigator.serviceWorker.getRegistrations()) await found.unregister();
  } catch {
    // Storage is refused: there is nothing to remove.
  }
}
