// Keeps the page's own files for use without a network: exactly those of one build, switched whole. The bundle is
// kept by src/bundle/store.ts and the runtime by src/engine/files.ts, which know what this browser uses.

declare const __FILES__: readonly string[];
declare const __VERSION__: string;

const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "poxlens-page-";
const CACHE = PREFIX + __VERSION__;

// A static host may send no such headers; with them the model runs on several threads.
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

worker.addEventListener("install", (event) => event.waitUntil(fill()));

worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  const path = url.pathname.slice(new URL("./", worker.location.href).pathname.length);
  if (request.mode === "navigate" && (path === "" || path === "index.html")) event.respondWith(fromCache("index.html"));
  else if (__FILES__.includes(path)) event.respondWith(fromCache(path));
  else if (path.startsWith("assets/")) event.respondWith(runtimeFile(request));
});

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Files with a hash in their name never change; the others must not come from the browser's own cache.
  await cache.addAll(__FILES__.map((name) => new Request(name, name.startsWith("assets/") ? {} : { cache: "no-cache" })));
}

async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  // Not waited for: Firefox (ESR 153) claims after the activation, so that both would wait for ever, every fetch with them.
  void worker.clients.claim();
}

async function fromCache(name: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return isolated((await cache.match(name)) ?? (await fetch(name)));
}

/** A file of the runtime, or of a build before this one that a page still shows. */
async function runtimeFile(request: Request): Promise<Response> {
  const found = (await caches.match(request.url)) ?? (await fetch(request));
  // Left as it is, so that the browser can keep what it compiled of it.
  return request.url.endsWith(".wasm") ? found : isolated(found);
}

function isolated(found: Response): Response {
  const headers = new Headers(found.headers);
  for (const [key, value] of Object.entries(ISOLATION)) headers.set(key, value);
  headers.set("cross-origin-resource-policy", "same-origin");
  return new Response(found.body, { status: found.status, headers });
}
