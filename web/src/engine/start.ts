// From nothing to a screener: the quickest way to run the bundle that this browser bears, held to the golden examples.

import { type Choose, forget, fromDevice, fromNetwork, type Loaded, type Progress } from "../bundle/store";
import { Screener } from "../screen/screener";
import { avoid, avoided } from "./avoided";
import { abilities, nameOf, opener, type Way, waysOf } from "./builds";
import { keepOnly } from "./files";

export interface Started {
  screener: Screener;
  way: Way;
  /** Whether bundle and runtime will be there without a network. */
  kept: boolean;
  /** The model that this browser would take of another bundle. */
  choose: Choose;
}

/**
 * Try one way after the other. One that the network withholds may be followed by one that the device holds, and one
 * whose numbers are off in this browser by one whose numbers are right.
 *
 * @param label the bundle that this page used before, or null
 * @throws BundleFault, GoldenFault, TypeError (no network), Error: that of the best way
 */
export async function start(base: string, label: string | null, progress: Progress): Promise<Started> {
  const can = abilities();
  const weak = new Set(await avoided());
  const tried = new Set<string>();
  const pick: { way: Way | null } = { way: null };
  const choose: Choose = (manifest) => {
    pick.way = best(waysOf(manifest.models, can), tried, weak);
    return pick.way?.model ?? null;
  };
  const before = weak.size;
  let first: unknown = null;
  let online = true;
  for (;;) {
    pick.way = null;
    let bundle: Loaded | null = await fromDevice(base, choose, label);
    if (!bundle && online)
      bundle = await fromNetwork(base, choose, progress).catch((fault: unknown) => {
        first ??= fault;
        online = false;
        return null;
      });
    const way = pick.way as Way | null;
    if (!way) throw first;
    try {
      if (bundle) {
        const started = await open(bundle, way);
        tried.clear();
        if (weak.size > before) await avoid([...weak]);
        if (label === null && bundle.kept) await forget(bundle.label).catch(() => undefined);
        return { ...started, choose };
      }
    } catch (fault) {
      first ??= fault;
      if (!missing(fault)) weak.add(nameOf(way));
    }
    tried.add(nameOf(way));
  }
}

/** The first that was not tried; what failed on an earlier visit comes last. */
function best(ways: readonly Way[], tried: ReadonlySet<string>, weak: ReadonlySet<string>): Way | null {
  const left = ways.filter((way) => !tried.has(nameOf(way)));
  return left.find((way) => !weak.has(nameOf(way))) ?? left[0] ?? null;
}

async function open(bundle: Loaded, way: Way): Promise<Omit<Started, "choose">> {
  const { manifest, model } = bundle;
  const openRuntime = await opener(way);
  const { runtime, files } = await openRuntime({
    model: bundle.read(model.file),
    size: manifest.input.size,
    classes: manifest.classes.length,
    threads: way.threads,
    build: way.build,
  });
  bundle.drop(model.file); // the runtime has it now; 7 MB
  try {
    const screener = await Screener.open(bundle, runtime);
    return { screener, way, kept: (await keepOnly(files)) && bundle.kept };
  } catch (fault) {
    await runtime.close().catch(() => undefined);
    throw fault;
  }
}

/** Whether a fault says that a file could not be fetched, and nothing of what this browser can do. */
export const missing = (fault: unknown): boolean =>
  fault instanceof TypeError && /fetch|network|load|import/i.test(fault.message);
