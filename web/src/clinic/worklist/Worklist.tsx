// The worklist: the queue at the side, the referral beside it; on a phone one or the other.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import type { SessionOut, Verdict } from "../api/types";
import { VERDICTS } from "../api/types";
import { goTo } from "../route";
import { EVERYTHING, type Filter } from "./filter";
import { type Key, useKeys, useKeysOn } from "./keys";
import { KeysHelp } from "./KeysHelp";
import { Queue } from "./Queue";
import { Referral } from "./Referral";
import { useQueue } from "./useQueue";

export function Worklist({ part, session }: { part: string; session: SessionOut }): JSX.Element {
  const say = useSay();
  const [filter, setFilter] = useState<Filter>(EVERYTHING);
  const queue = useQueue(filter);
  const [keysOn, setKeysOn] = useKeysOn();
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const choose = useRef<(verdict: Verdict) => void>(() => undefined);

  const step = (by: number): void => {
    const { items } = queue;
    const at = items.findIndex(({ id }) => id === part);
    // The open one may have left the list with its verdict: then from the top.
    const next = at < 0 ? items[0] : items[at + by];
    if (next) goTo("worklist", next.id);
  };
  useKeys(keysOn, (key: Key) => {
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "/") search.current?.focus();
    else if (key === "?") setHelp(true);
    else choose.current(VERDICTS[Number(key) - 1]!);
  });
  return (
    <div class={part ? "worklist open" : "worklist"}>
      <Queue queue={queue} filter={filter} set={setFilter} open={part} blind={session.blind} search={search} help={() => setHelp(true)} />
      <div class="detail">
        {part ? (
          <Referral key={part} id={part} choose={choose} changed={queue.refresh} next={() => step(1)} />
        ) : (
          <p class="nothing">{say(queue.items.length ? "worklist.choose" : "worklist.empty")}</p>
        )}
      </div>
      {help && <KeysHelp on={keysOn} set={setKeysOn} close={() => setHelp(false)} />}
    </div>
  );
}
