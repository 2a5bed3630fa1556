import { type JSX, render } from "preact";
import { firstLanguage, LANGUAGES, type Words } from "./messages";
import { readSettings, type Settings } from "./settings";
import { App } from "./ui/App";
import { useLanguage } from "./ui/useLanguage";

interface Props {
  settings: Settings;
  first: string;
  firstWords: Words;
}

function Root({ settings, first, firstWords }: Props): JSX.Element {
  const spoken = useLanguage(first, firstWords, "app.tagline");
  return <App {...spoken} settings={settings} />;
}

async function begin(): Promise<void> {
  const first = firstLanguage();
  const [settings, words] = await Promise.all([readSettings(), LANGUAGES[first]!.words()]);
  // What an earlier visit could not send goes out now.
  if (settings.clinic !== null) void import("./referral/sender").then((sender) => sender.begin(settings.clinic!));
  render(<Root settings={settings} first={first} firstWords={words} />, document.getElementById("app")!);
}

void begin();
