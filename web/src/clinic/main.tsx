import { render } from "preact";
import { Clinic } from "./Clinic";
import { wordsOf } from "./messages";
import { firstOffered } from "./useLanguage";

async function begin(): Promise<void> {
  const first = firstOffered();
  const words = await wordsOf(first);
  render(<Clinic first={first} firstWords={words} />, document.getElementById("app")!);
}

void begin();
