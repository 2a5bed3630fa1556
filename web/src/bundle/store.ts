// A bundle from the device or from where the page came from. A new one is fetched aside and used whole or not at all;
// where the browser keeps nothing, it is used from memory.

import { BundleFault, type Manifest, readManifest } from "./manifest";
import { type Model, usedFiles } from "./used";

const PREFIX = "poxlens-bundle-";
const COMPLETE = "complete";

export interface Loaded {
  manifest: Manifest;
  /** The one of its models whose files are here. */
  model: Model;
  /** Name, version and digest, as the command line says it. */
  label: string;
  read(path: string): Uint8Array<ArrayBuffer>;
  /** Give a file's memory back. */
  drop(path: string): void;
  /** Whether it will be there without a network. */
  kept: boolean;
}

/** Which of a bundle's models is wanted; null for none. @throws BundleFault */
export type Choose = (manifest: Manifest) => Model | null;

export type Progress = (done: number, total: number) => void;

/** None of the bundle's models is wanted, or the device keeps it without the files of the one that is. */
export class NotHere extends Error {}

/**
 * What the device holds; null when it holds no such bundle.
 *
 * @param base the URL of the bundle's folder, with its slash
 * @param label the bundle that is preferred; else the one that was fetched last
 */
export async function fromDevice(base: string, choose: Choose, label: string | null): Promise<Loaded | null> {
  for (const { name, cache } of await stored(base, label)) {
    try {
      return await assemble(choose, async (path) => {
        const found = await cache.match(base + path);
        if (!found) throw new NotHere(path);
        return new Uint8Array(await found.arrayBuffer());
      });
    } catch (fault) {
      if (!(fault instanceof NotHere)) await caches.delete(name); // damaged: fetched again
    }
  }
  return null;
}

/** What the page is served with; kept on the device beside what is there already. @throws BundleFault, TypeError, NotHere */
export async function fromNetwork(base: string, choose: Choose, progress: Progress): Promise<Loaded> {
  let total = 0;
  let before = 0;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const loaded = await assemble(choose, async (path, manifest, model) => {
    if (manifest && model) total = usedFiles(manifest, model).reduce((sum, file) => sum + file.bytes, 0);
    const size = manifest?.files.find((file) => file.path === path)?.bytes ?? null;
    // A damaged copy may lie in the browser's own cache.
    const mode = manifest ? "default" : "no-cache";
    const data = await fetchBytes(base, path, size, (done) => progress(before + done, total), mode);
    if (manifest) before += data.length;
    files.set(path, data);
    return data;
  });
  try {
    await keep(base, loaded.label, files);
    return { ...loaded, kept: true };
  } catch {
    return { ...loaded, kept: false }; // storage refused or full
  }
}

/** Fetch a newer bundle, if there is one, for the next start. Returns its label, or null. */
export async function refresh(base: string, current: string, choose: Choose): Promise<string | null> {
  const text = await fetchBytes(base, "bundle.json", null, () => undefined, "no-cache");
  const label = await labelOf(readManifest(decodeText(text)), text);
  if (label === current) return null;
  if ((await stored(base, label))[0]?.name === nameOf(label)) return label; // fetched before, by a page that is still open
  const loaded = await fromNetwork(base, choose, () => undefined);
  return loaded.kept ? loaded.label : null;
}

/** Forget every bundle on this device, or every other than one. */
export async function forget(but?: string): Promise<void> {
  const spared = but === undefined ? null : nameOf(but);
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== spared) await caches.delete(name);
}

const nameOf = (label: string): string => PREFIX + label.split("sha256:")[1]!;

/** Whole bundles on this device: the preferred one, then the latest first. */
async function stored(base: string, label: string | null): Promise<{ name: string; cache: Cache }[]> {
  const found: { name: string; cache: Cache; at: number }[] = [];
  const first = label === null ? null : nameOf(label);
  for (const name of await names()) {
    const cache = await caches.open(name);
    const mark = await cache.match(base + COMPLETE);
    if (!mark) continue; // cut off, or being fetched by another tab
    const at = name === first ? Number.POSITIVE_INFINITY : Number(mark.headers.get("date-kept")) || 0;
    found.push({ name, cache, at });
  }
  return found.sort((a, b) => b.at - a.at);
}

async function names(): Promise<string[]> {
  try {
    return (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  } catch {
    return []; // storage is refused
  }
}

async function keep(base: string, label: string, files: Map<string, Uint8Array<ArrayBuffer>>): Promise<void> {
  const name = nameOf(label);
  const cache = await caches.open(name);
  try {
    for (const [path, data] of files) await cache.put(base + path, new Response(data));
    await cache.put(base + COMPLETE, new Response(label, { headers: { "date-kept": String(Date.now()) } }));
  } catch (fault) {
    await caches.delete(name);
    throw fault;
  }
}

type Read = (path: string, manifest?: Manifest, model?: Model) => Promise<Uint8Array<ArrayBuffer>>;

async function assemble(choose: Choose, read: Read): Promise<Loaded> {
  const text = await read("bundle.json");
  const manifest = readManifest(decodeText(text));
  const model = choose(manifest);
  if (!model) throw new NotHere("no model is wanted");
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of usedFiles(manifest, model)) {
    const data = await read(file.path, manifest, model);
    if (data.length !== file.bytes) throw new BundleFault(`${file.path}: ${data.length} bytes, not ${file.bytes}`);
    if ((await sha256(data)) !== file.sha256) throw new BundleFault(`${file.path}: its SHA-256 is not the listed one`);
    files.set(file.path, data);
  }
  const label = await labelOf(manifest, text);
  return {
    manifest,
    model,
    label,
    kept: true,
    read(path) {
      const data = files.get(path);
      if (!data) throw new BundleFault(`${path} is not part of what this page uses`);
      return data;
    },
    drop: (path) => void files.delete(path),
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
