// Message files as a list of sentences in the order of English, without their keys: a quarter less to fetch.

import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const TRANSLATION = /\/src\/messages\/[a-z]{2}\.json$/;

type Words = Readonly<Record<string, string>>;

export function listWords(): Plugin {
  return {
    name: "list-words",
    enforce: "pre",
    load(id) {
      if (!TRANSLATION.test(id)) return null;
      const read = (name: string): Words => JSON.parse(readFileSync(new URL(name, `file://${id}`), "utf8")) as Words;
      const keys = Object.keys({ ...read("rule.en.json"), ...read("ui.en.json") });
      const words = read(id);
      const wrong = [...keys.filter((key) => !(key in words)), ...Object.keys(words).filter((key) => !keys.includes(key))];
      if (wrong.length) throw new Error(`${id}: ${wrong[0]} is missing, or is not a key of English`);
      return { code: `export default ${JSON.stringify(keys.map((key) => words[key]))}`, moduleType: "js", map: null };
    },
  };
}
