import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";

/** The page goes into the Python package, from where `poxlens app` serves it and the wheel carries it. */
const OUT = "../src/poxlens/serve/page";

/** Tells the service worker which files this build consists of; its version is their digest. */
function listFiles(): Plugin {
  return {
    name: "list-files",
    enforce: "post", // index.html joins the others last
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("no service worker in the build");
      const hash = createHash("sha256");
      const files = Object.values(bundle).filter((file) => file.fileName !== "sw.js");
      for (const file of files) hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      const fixed = ["settings.json", "manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png", "icon-maskable-512.png"];
      for (const name of fixed) hash.update(readFileSync(`public/${name}`));
      if (!("index.html" in bundle)) throw new Error("no index.html in the build");
      const names = [...files.map((file) => file.fileName), ...fixed].filter((name) => !name.endsWith(".map")).sort();
      worker.code = worker.code
        .replaceAll("__FILES__", () => JSON.stringify(names))
        .replaceAll("__VERSION__", () => JSON.stringify(hash.digest("hex").slice(0, 16)));
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
      input: { main: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  worker: { format: "es" },
  plugins: [listFiles()],
  test: { include: ["tests/**/*.test.ts"], testTimeout: 60_000 },
} as Parameters<typeof defineConfig>[0]);
