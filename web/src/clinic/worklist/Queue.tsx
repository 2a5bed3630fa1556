// The queue: how many wait, a search, and a line for each referral, the most urgent first.

import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Heading, Icon, useSay } from "../../ui/parts";
import type { Counts, Item } from "../api/types";
import { Told } from "../faults";
import { fromNow } from "../instants";
import { hashOf } from "../route";
import { type Filter, type View, VIEWS } from "./filter";
import type { Queue as Found } from "./useQueue";

const OUTCOMES = ["refer", "uncertain", "cannot_assess", "not_suspected"] as const;

interface Props {
  queue: Found;
  filter: Filter;
  set: (filter: Filter) => void;
  /** Id of the open referral, or "". */
  open: string;
  blind: boolean;
  search: RefObject<HTMLInputElement | null>;
  help: () => void;
}

const countOf = (view: View, counts: Counts): number => (view === "waiting" ? counts.new + counts.second_opinion : counts[view]);

export function Queue({ queue, filter, set, open, blind, search, help }: Props): JSX.Element {
  const say = useSay();
  const { items, counts, next, loading, fault, more } = queue;
  return (
    <div class="queue">
      <div class="row">
        <Heading>{say("place.worklist")}</Heading>
        <span class="grow" />
        <button class="plain pointer-only" aria-label={say("keys.title")} title={say("keys.title")} onClick={help}>
          <kbd>?</kbd>
        </button>
      </div>
      <input
        ref={search}
        class="search"
        aria-label={say("worklist.search")}
        placeholder={say("worklist.search")}
        autocomplete="off"
        spellcheck={false}
        maxLength={64}
        value={filter.text}
        onInput={(event) => set({ ...filter, text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          set({ ...filter, text: "" });
          event.currentTarget.blur();
        }}
      />
      <div class="views" role="group" aria-label={say("worklist.views")}>
        {VIEWS.map((view) => (
          <button key={view} aria-pressed={!filter.text.trim() && filter.view === view} onClick={() => set({ ...filter, view, text: "" })}>
            {say(`view.${view}`)}
            {counts && <span class="count">{countOf(view, counts)}</span>}
          </button>
        ))}
      </div>
      {!blind && (
        <select
          class="by-outcome"
          aria-label={say("worklist.outcome")}
          value={filter.outcome}
          onChange={(event) => set({ ...filter, outcome: event.currentTarget.value as Filter["outcome"] })}
        >
          {["" as const, ...OUTCOMES].map((one) => (
            <option key={one} value={one}>
              {say(one ? `outcome.${one}` : "worklist.any")}
            </option>
          ))}
        </select>
      )}
      <Told fault={fault} />
      <ul class="lines" aria-busy={loading}>
        {items.map((item) => (
          <Line key={item.id} item={item} open={item.id === open} />
        ))}
      </ul>
      <p role="status" class="faint">
        {loading ? say("lock.working") : !items.length && !fault ? say(filter.text.trim() ? "worklist.none_found" : `worklist.none.${filter.view}`) : ""}
      </p>
      {counts && !fault && Object.values(counts).every((n) => n === 0) && <p class="faint">{say("worklist.begin")}</p>}
      {next && <button onClick={() => void more()}>{say("worklist.more")}</button>}
    </div>
  );
}

function Line({ item, open }: { item: Item; open: boolean }): JSX.Element {
  const say = useSay();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (open) link.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  const { outcome, waiting, overdue, claimed, dangers, age, state, verdict, pcr } = item;
  return (
    <li>
      <a ref={link} class={`line ${outcome ?? "blind"}`} href={hashOf("worklist", item.id)} aria-current={open ? "true" : undefined}>
        {outcome ? <Icon name={outcome} /> : <Icon name="cannot_assess" />}
        <span class="text">
          <b>{outcome ? say(`outcome.${outcome}`) : say("worklist.hidden")}</b>
          <span class="faint">{[age !== null && say("summary.years", { n: age }), say("worklist.filed", { when: fromNow(item.filed_at) })].filter(Boolean).join(" · ")}</span>
          <span class="tags">
            {state === "second_opinion" && <i class="tag strong">{say("state.second_opinion")}</i>}
            {claimed && <i class="tag">{say("worklist.claimed")}</i>}
            {dangers.map((name) => (
              <i key={name} class="tag warn">
                {say(`risk.${name}`)}
              </i>
            ))}
            {!waiting && verdict && <i class="tag">{say(`verdict.${verdict}`)}</i>}
            {pcr && <i class={pcr === "positive" ? "tag warn" : "tag"}>{say("pcr.short", { result: say(`pcr.${pcr}`) })}</i>}
          </span>
        </span>
        {waiting && (
          <span class={overdue ? "due late" : "due"}>{overdue ? say("worklist.overdue") : say("worklist.due", { when: fromNow(item.due_at) })}</span>
        )}
      </a>
    </li>
  );
}
