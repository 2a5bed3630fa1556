// A phone's codes become a referral: read by camera, from pictures or as text, looked at, then filed.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { readResult } from "../../fhir/read";
import { needed } from "../../qr/collect";
import type { Result } from "../../results/result";
import { Heading, Icon, useSay } from "../../ui/parts";
import { Scan } from "../../ui/Scan";
import { Sheet } from "../../ui/Sheet";
import { type Codes, useCodes } from "../../ui/useCodes";
import type { ReferralOut } from "../api/types";
import { Area } from "../Field";
import { FileForm, Filed } from "../filing/FileForm";

export function Handover(): JSX.Element {
  const say = useSay();
  const { collected, none, heard, files, again } = useCodes();
  const { json } = collected;
  const result = json === null ? null : opened(json);
  if (json !== null && result) return <Arrived result={result} json={json} again={again} />;
  const fault = none ? "no_code" : json !== null ? "damaged" : collected.told;
  return (
    <div class="page narrow handover-page">
      <Heading>{say("place.handover")}</Heading>
      <p class="lead">{say("handover.lead")}</p>
      <div role="status">
        {collected.parts.length > 0 && (
          <p class="note">
            <b>{say("reader.found", { n: collected.parts.length, total: collected.parts[0]!.count })}</b>{" "}
            {say("reader.needed", { list: needed(collected).join(", ") })}
          </p>
        )}
        {fault && <p class={fault === "switched" ? "" : "bad"}>{say(`reader.${fault}`)}</p>}
      </div>
      <Scan heard={(text) => heard([text])} />
      <Written heard={heard} files={files} />
    </div>
  );
}

/** Codes from pictures, chosen or pasted, and as text: some scanners type what they read. */
function Written({ heard, files }: Pick<Codes, "heard" | "files">): JSX.Element {
  const say = useSay();
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        heard(text.split("\n").filter((line) => line.trim() !== ""));
        setText("");
      }}
    >
      <Area label={say("reader.text")} name="codes" value={text} set={setText} most={20_000} />
      <div class="row">
        <button type="submit" disabled={text.trim() === ""}>
          {say("reader.read")}
        </button>
        <button type="button" onClick={() => input.current?.click()}>
          <Icon name="picture" />
          {say("reader.file")}
        </button>
      </div>
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
    </form>
  );
}

function Arrived({ result, json, again }: { result: Result; json: string; again: () => void }): JSX.Element {
  const say = useSay();
  const [filed, setFiled] = useState<ReferralOut | null>(null);
  return (
    <div class="page">
      <Heading>{say("reader.done")}</Heading>
      <div class="halves">
        <Sheet result={result} />
        <div>
          {filed ? <Filed told={filed} /> : <FileForm json={json} id={result.id} pictures={null} filed={setFiled} />}
          <button class="wide" onClick={again}>
            {say("reader.other")}
          </button>
        </div>
      </div>
    </div>
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
