import { type JSX, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { firstLanguage, LANGUAGES, type Say, sayWith } from "./messages";
import { readSettings, type Settings } from "./settings";
import { App } from "./ui/App";

function Root({ settings, first, firstSay }: { settings: Settings; first: string; firstSay: Say }): JSX.Element {
  const [language, setLanguage] = useState(first);
  const [say, setSay] = useState<Say>(() => firstSay);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `poxlens – ${say("app.tagline")}`;
  }, [language, say]);
  const choose = async (code: string): Promise<void> => {
    const words = await LANGUAGES[code]!.words();
    setLanguage(code);
    setSay(() => sayWith(words));
  };
  return <App language={language} say={say} settings={settings} choose={(code) => void choose(code)} />;
}

async function begin(): Promise<void> {
  const first = firstLanguage();
  const [settings, words] = await Promise.all([readSettings(), LANGUAGES[first]!.words()]);
  render(<Root settings={settings} first={first} firstSay={sayWith(words)} />, document.getElementById("app")!);
}

void begin();
