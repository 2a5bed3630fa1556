// Ways to run a bundle that failed in this browser: not tried first again, until the browser is another.

const CACHE = "poxlens-runtime-faults";
const KEY = "faults.json"; // below the worker's address; nothing is ever fetched from there

export async function avoided(): Promise<readonly string[]> {
  try {
    const found = await caches.match(KEY, { cacheName: CACHE });
    const { agent, ways } = (await found!.json()) as { agent: string; ways: string[] };
    return agent === navigator.userAgent ? ways : [];
  } catch {
    return []; // none was written, or storage is refused
  }
}

export async function avoid(ways: readonly string[]): Promise<void> {
  try {
    const text = JSON.stringify({ agent: navigator.userAgent, ways });
    await (await caches.open(CACHE)).put(KEY, new Response(text));
  } catch {
    // Storage is refused: it fails again at the next start, and the next way is taken again.
  }
}
