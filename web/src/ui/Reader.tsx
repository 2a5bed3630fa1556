// For the clinic: codes of a result read by camera, from pictures or as text, and the result as it was handed over.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { readResult } from "../fhir/read";
import { needed } from "../qr/collect";
import type { Result } from "../results/result";
import { Heading, Icon, useSay } from "./parts";
import { saveResult } from "./save";
import { Scan } from "./Scan";
import { Sheet } from "./Sheet";
import { useCodes } from "./useCodes";

export function Reader(): JSX.Element {
  const say = useSay();
  const { collected, none, heard, files, again } = useCodes();
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const { json } = collected;
  const result = json === null ? null : opened(json);
  if (json !== null && result)
    return (
      <Shown
        result={result}
        json={json}
        again={() => {
          setText("");
          again();
        }}
      />
    );
  const fault = none ? "no_code" : json !== null ? "damaged" : collected.told;
  const missing = needed(collected);
  return (
    <section class="reader">
      <Heading>{say("reader.title")}</Heading>
      <p class="lead">{say("reader.lead")}</p>
      <div role="status">
        {collected.parts.length > 0 && (
          <p class="note">
            <b>{say("reader.found", { n: collected.parts.length, total: collected.parts[0]!.count })}</b>{" "}
            {say("reader.needed", { list: missing.join(", ") })}
          </p>
        )}
        {fault && <p class={fault === "switched" ? "" : "bad"}>{say(`reader.${fault}`)}</p>}
      </div>
      <Scan heard={(code) => heard([code])} />
      <div class="row">
        <button onClick={() => input.current?.click()}>
          <Icon name="picture" />
          {say("reader.file")}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          multiple
          accept="image/*"
          onChange={(event) => {
            void files([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      <form
        class="question"
        onSubmit={(event) => {
          event.preventDefault();
          heard(text.split("\n").filter((line) => line.trim() !== ""));
        }}
      >
        <label for="codes">{say("reader.text")}</label>
        <textarea id="codes" rows={3} spellcheck={false} autocomplete="off" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" disabled={text.trim() === ""}>
          {say("reader.read")}
        </button>
      </form>
    </section>
  );
}

function opened(json: string): Result | null {
  try {
    return readResult(json);
  } catch (fault) {
    console.warn(`poxlens: ${String(fault)}`);
    return null;
  }
}

function Shown({ result, json, again }: { result: Result; json: string; again: () => void }): JSX.Element {
  const say = useSay();
  return (
    <section class="reader">
      <Heading>{say("reader.done")}</Heading>
      <div class="row screen-only">
        <button class="primary" onClick={() => saveResult(json, result)}>
          {say("results.save")}
        </button>
        <button onClick={() => window.print()}>{say("summary.print")}</button>
        <button onClick={again}>{say("reader.other")}</button>
      </div>
      <Sheet result={result} />
    </section>
  );
}
