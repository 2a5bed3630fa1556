// Pictures ready before they are wanted: fetched into memory a few images ahead, never into the browser's disk cache.

const KEPT = 14;
const held = new Map(); // index -> Promise<{url, image} | {fault}>; the latest used last

/** The picture of an index: {image} drawn and ready, or {fault: sentence, lost: whether to try again later}. */
export function picture(index) {
  let found = held.get(index);
  if (found) held.delete(index);
  else found = load(index);
  held.set(index, found);
  for (const [old, promise] of held) {
    if (held.size <= KEPT) break;
    held.delete(old);
    promise.then((one) => one.url && URL.revokeObjectURL(one.url));
  }
  return found;
}

/** Begin with pictures that will be wanted. */
export function prefetch(indices) { for (const index of indices) picture(index); }

async function load(index) {
  let found;
  try {
    const reply = await fetch(`/picture/${index}`);
    if (reply.ok) {
      const url = URL.createObjectURL(await reply.blob());
      const image = new Image();
      image.src = url;
      await image.decode();
      return { url, image };
    }
    const body = await reply.json().catch(() => null);
    found = { fault: body?.error?.message ?? `The program answered with an error (${reply.status}).`, lost: reply.status !== 422 };
  } catch {
    found = { fault: "The program is not answering.", lost: true };
  }
  if (found.lost) held.delete(index);
  return found;
}
