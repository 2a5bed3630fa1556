// A bundle from the device or from where the page came from. A new one is fetched aside and used whole or not at all;
// where the browser keeps nothing, it is used from memory.

import { BundleFault, type Manifest, readManifest } from "./manifest";
import { usedFiles } from "./used";

const PREFIX = "poxlens-bundle-";
const COMPLETE = "complete";

export interface Loaded {
  manifest: Manifest;
  /** Name, version and digest, as the command line says it. */
  label: string;
  read(path: string): Uint8Array<ArrayBuffer>;
  /** Whether it will be there without a network. */
  kept: boolean;
}

export type Progress = (done: number, total: number) => void;

/** What the page is served with, or what the device holds. `base` is the folder's URL, with its slash. */
export async function load(base: string, progress: Progress): Promise<Loaded> {
  const stored = await fromDevice(base).catch(() => null);
  if (stored) return stored;
  return fromNetwork(base, progress);
}

/** Fetch a newer bundle, if there is one, for the next start. Returns its label, or null. */
export async function refresh(base: string, current: string): Promise<string | null> {
  const text = await fetchBytes(base, "bundle.json", null, () => undefined, "no-cache");
  const label = await labelOf(readManifest(decodeText(text)), text);
  if (label === current) return null;
  const loaded = await fromNetwork(base, () => undefined);
  return loaded.kept ? loaded.label : null;
}

/** Forget every bundle on this device. */
export async function forget(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX)) await caches.delete(name);
}

async function fromDevice(base: string): Promise<Loaded | null> {
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    const cache = await caches.open(name);
    if (!(await cache.match(base + COMPLETE))) continue;
    try {
      return await assemble(async (path) => {
        const found = await cache.match(base + path);
        if (!found) throw new BundleFault(`${path} is missing on this device`);
        return new Uint8Array(await found.arrayBuffer());
      }, true);
    } catch {
      await caches.delete(name); // damaged: fetched again
    }
  }
  return null;
}

async function fromNetwork(base: string, progress: Progress): Promise<Loaded> {
  let total = 0;
  let before = 0;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const loaded = await assemble(async (path, manifest) => {
    if (manifest) total = usedFiles(manifest).reduce((sum, file) => sum + file.bytes, 0);
    const size = manifest?.files.find((file) => file.path === path)?.bytes ?? null;
    // A damaged copy may lie in the browser's own cache.
    const mode = manifest ? "default" : "no-cache";
    const data = await fetchBytes(base, path, size, (done) => progress(before + done, total), mode);
    if (manifest) before += data.length;
    files.set(path, data);
    return data;
  }, false);
  try {
    await keep(base, loaded.label, files);
    return { ...loaded, kept: true };
  } catch {
    return loaded; // storage refused or full
  }
}

async function keep(base: string, label: string, files: Map<string, Uint8Array<ArrayBuffer>>): Promise<void> {
  const name = PREFIX + label.split("sha256:")[1]!;
  const cache = await caches.open(name);
  try {
    for (const [path, data] of files) await cache.put(base + path, new Response(data));
    await cache.put(base + COMPLETE, new Response(label));
  } catch (fault) {
    await caches.delete(name);
    throw fault;
  }
  for (const other of await caches.keys())
    if (other.startsWith(PREFIX) && other !== name) await caches.delete(other);
}

type Read = (path: string, manifest: Manifest | null) => Promise<Uint8Array<ArrayBuffer>>;

async function assemble(read: Read, kept: boolean): Promise<Loaded> {
  const text = await read("bundle.json", null);
  const manifest = readManifest(decodeText(text));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of usedFiles(manifest)) {
    const data = await read(file.path, manifest);
    if (data.length !== file.bytes) throw new BundleFault(`${file.path}: ${data.length} bytes, not ${file.bytes}`);
    if ((await sha256(data)) !== file.sha256) throw new BundleFault(`${file.path}: its SHA-256 is not the listed one`);
    files.set(file.path, data);
  }
  const label = await labelOf(manifest, text);
  return {
    manifest,
    label,
    kept,
    read(path) {
      const data = files.get(path);
      if (!data) throw new BundleFault(`${path} is not part of what this page uses`);
      return data;
    },
  };
}

async function fetchBytes(
  base: string, path: string, size: number | null, progress: (done: number) => void, cache: RequestCache,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(base + path, { cache, credentials: "same-origin" });
  if (!response.ok || !response.body) throw new BundleFault(`${path}: the server answers ${response.status}`);
  const limit = size ?? 4_000_000;
  const chunks: Uint8Array[] = [];
  let done = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done: ended, value } = await reader.read();
    if (ended) break;
    chunks.push(value);
    done += value.length;
    if (done > limit) throw new BundleFault(`${path}: longer than listed`);
    progress(done);
  }
  const data = new Uint8Array(done);
  let at = 0;
  for (const chunk of chunks) {
    data.set(chunk, at);
    at += chunk.length;
  }
  return data;
}

const decodeText = (data: Uint8Array<ArrayBuffer>): string => new TextDecoder("utf-8", { fatal: true }).decode(data);

async function labelOf(manifest: Manifest, text: Uint8Array<ArrayBuffer>): Promise<string> {
  return `${manifest.name} ${manifest.version} sha256:${(await sha256(text)).slice(0, 16)}`;
}

export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", data);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
