// The files of the runtime that this browser uses, kept for use without a network: those and no others.

const CACHE = "poxlens-runtime";

/** A file from the device, or fetched and kept. Fetched whole once: the copy and the answer share one request. */
export async function keptFile(url: string): Promise<Response> {
  const cache = await openCache();
  const found = await cache?.match(url);
  if (found) return found;
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new TypeError(`fetching ${url}: the server answers ${response.status}`);
  if (cache) kept.push(cache.put(url, response.clone()).catch(() => undefined)); // storage is full
  return response;
}

const kept: Promise<void>[] = [];

/** Keep these files and drop those of other builds; resolves to whether all are there. */
export async function keepOnly(urls: readonly string[]): Promise<boolean> {
  const cache = await openCache();
  if (!cache) return false;
  try {
    await Promise.all(kept.splice(0));
    for (const url of urls) if (!(await cache.match(url))) await cache.add(url);
    for (const request of await cache.keys()) if (!urls.includes(request.url)) await cache.delete(request);
    return true;
  } catch {
    return false;
  }
}

async function openCache(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE);
  } catch {
    return null; // no TLS, or storage refused
  }
}
