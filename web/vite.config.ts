import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { defaultClientConditions, defineConfig, minifySync, type Plugin } from "vite";
import { listWords } from "./words.ts";

/** The page goes into the Python package, from where `poxlens app` serves it and the wheel carries it. */
const OUT = "../src/poxlens/serve/page";

/** Files of runtimes: a browser keeps those of the one that it uses (src/engine/files.ts). */
const RUNTIME = /^assets\/(litert|onnx|ort)[-_.]/;

/** The clinic's pages need their server anyway: a phone keeps nothing of them. */
const CLINIC = /^(clinic\/|assets\/clinic[-.])/;

/** Tells the service worker which files this build consists of; its version is their digest. */
function listFiles(): Plugin {
  return {
    name: "list-files",
    enforce: "post", // index.html joins the others last
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("no service worker in the build");
      const hash = createHash("sha256");
      const files = Object.values(bundle).filter((file) => file.fileName !== "sw.js" && !CLINIC.test(file.fileName));
      for (const file of files) hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      const fixed = ["settings.json", "manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png", "icon-maskable-512.png"];
      for (const name of fixed) hash.update(readFileSync(`public/${name}`));
      if (!("index.html" in bundle)) throw new Error("no index.html in the build");
      const names = [...files.map((file) => file.fileName), ...fixed].filter((name) => !name.endsWith(".map") && !RUNTIME.test(name)).sort();
      worker.code = worker.code
        .replaceAll("__FILES__", () => JSON.stringify(names))
        .replaceAll("__VERSION__", () => JSON.stringify(hash.digest("hex").slice(0, 16)));
    },
  };
}

/**
 * A runtime's glue, `…?glue`: a third of its size, and usable both as a module (by the page's worker) and as a plain
 * script (by the runtime's own threads). What it makes is left in `ModuleFactory`.
 */
function glue(): Plugin {
  return {
    name: "glue",
    enforce: "pre",
    async resolveId(source, importer) {
      if (!source.endsWith("?glue")) return null;
      const found = await this.resolve(source.slice(0, -"?glue".length), importer, { skipSelf: true });
      return found && `${found.id}?glue`;
    },
    load(id) {
      if (!id.endsWith("?glue")) return null;
      const file = id.slice(0, -"?glue".length);
      const { code, errors } = minifySync(file, readFileSync(file, "utf8"));
      if (errors.length) throw new Error(errors.map((error) => error.message).join("; "));
      const source = `${code};globalThis.ModuleFactory=ModuleFactory;`;
      const reference = this.emitFile({ type: "asset", name: basename(file), source });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}

export default defineConfig({
  base: "./",
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy allows no data: scripts
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { main: "index.html", reader: "reader.html", clinic: "clinic/index.html", sw: "src/sw.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        chunkFileNames: (chunk) => `assets/${chunk.moduleIds.some((id) => id.includes("/src/clinic/")) ? "clinic-" : ""}[name]-[hash].js`,
      },
    },
  },
  worker: { format: "es", plugins: () => [glue()] },
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] }, // its glue is a file of its own
  plugins: [listFiles(), listWords(), glue()],
  test: { include: ["tests/**/*.test.ts"], testTimeout: 60_000 },
} as Parameters<typeof defineConfig>[0]);
