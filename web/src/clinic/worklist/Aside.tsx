// What else can be done with a referral: the PCR's result, a colleague's opinion, and the record as FHIR.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import { get, post } from "../api/client";
import { type Colleague, type Detail, type Pcr, PCRS } from "../api/types";
import { Told, useWork } from "../faults";
import { Area, Pick } from "../Field";

interface Props {
  detail: Detail;
  done: (detail: Detail) => void;
  reload: () => void;
}

export function Aside({ detail, done, reload }: Props): JSX.Element {
  const say = useSay();
  return (
    <>
      {detail.verdict && <PcrForm key={detail.pcr ?? ""} detail={detail} done={done} reload={reload} />}
      <details class="panel fold">
        <summary>{say("second.title")}</summary>
        <SecondOpinion detail={detail} done={done} />
      </details>
      <p class="links">
        <a href={`/v1/worklist/${detail.id}/fhir`} download={`poxlens-${detail.id.slice(0, 8)}.json`}>
          {say("referral.fhir")}
        </a>
      </p>
    </>
  );
}

function PcrForm({ detail, done, reload }: Props): JSX.Element {
  const say = useSay();
  const [result, setResult] = useState<Pcr | "">(detail.pcr ?? "");
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    try {
      done(await post<Detail>(`/worklist/${detail.id}/pcr`, { revision: detail.revision, result }));
    } catch (why) {
      reload();
      throw why;
    }
  };
  return (
    <form
      class="panel pcr"
      onSubmit={(event) => {
        event.preventDefault();
        if (result) void run(send);
      }}
    >
      <h2>{say("pcr.title")}</h2>
      <div class="row bottom">
        <Pick label={say("pcr.result")} name="pcr" value={result} options={[["", say("pcr.none")], ...PCRS.map((one) => [one, say(`pcr.${one}`)] as const)]} set={setResult} />
        <button type="submit" disabled={busy || result === "" || result === detail.pcr}>
          {say(detail.pcr ? "pcr.change" : "pcr.add")}
        </button>
      </div>
      <Told fault={fault} />
    </form>
  );
}

function SecondOpinion({ detail, done }: Omit<Props, "reload">): JSX.Element {
  const say = useSay();
  const [colleagues, setColleagues] = useState<readonly Colleague[]>([]);
  const [whom, setWhom] = useState("");
  const [note, setNote] = useState("");
  const [asked, setAsked] = useState(false);
  const { busy, fault, run } = useWork();
  useEffect(() => void get<Colleague[]>("/worklist/colleagues").then(setColleagues, () => undefined), []);
  const send = async (): Promise<void> => {
    const body = { revision: detail.revision, ...(note.trim() ? { note: note.trim() } : {}), ...(whom ? { colleague: whom } : {}) };
    done(await post<Detail>(`/worklist/${detail.id}/second-opinion`, body));
    setAsked(true);
    setNote("");
  };
  const named = colleagues.map(({ id, name, on_duty: duty }) => [id, duty ? say("second.on_duty", { name }) : name] as const);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}
    >
      <Pick label={say("second.whom")} name="colleague" value={whom} options={[["", say("second.anyone")], ...named]} set={setWhom} />
      <Area label={say("second.note")} name="question" rows={2} value={note} set={setNote} />
      <Told fault={fault} />
      <p role="status" class={asked ? "good" : "empty"}>
        {asked && say("second.asked")}
      </p>
      <button type="submit" disabled={busy || detail.claimed}>
        {say("second.ask")}
      </button>
    </form>
  );
}
