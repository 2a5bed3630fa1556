// The reader page: a page of its own, so that a clinic loads no model.

import { type JSX, render } from "preact";
import { firstLanguage, LANGUAGES, type Words as Sentences } from "./messages";
import { keepPage } from "./offline";
import { Languages } from "./ui/Languages";
import { Words } from "./ui/parts";
import { Reader } from "./ui/Reader";
import { useLanguage } from "./ui/useLanguage";

function Root({ first, firstWords }: { first: string; firstWords: Sentences }): JSX.Element {
  const { language, say, choose } = useLanguage(first, firstWords, "reader.title");
  return (
    <Words.Provider value={say}>
      <header>
        <b class="brand">poxlens</b>
        <span class="grow" />
        <Languages language={language} choose={choose} />
      </header>
      <main class="narrow">
        <Reader />
      </main>
      <footer>
        <nav class="links">
          <a href="./">{say("reader.app")}</a>
        </nav>
        {!LANGUAGES[language]!.reviewed && <p class="faint">{say("app.unreviewed")}</p>}
      </footer>
    </Words.Provider>
  );
}

async function begin(): Promise<void> {
  const first = firstLanguage();
  const words = await LANGUAGES[first]!.words();
  render(<Root first={first} firstWords={words} />, document.getElementById("app")!);
  void keepPage();
}

void begin();
