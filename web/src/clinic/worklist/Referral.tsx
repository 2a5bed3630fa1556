// One referral: photo, what the model and the person said, and what the clinician does with it.

import type { JSX, RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Heading, Icon, useSay } from "../../ui/parts";
import { get, post } from "../api/client";
import type { Detail, Verdict } from "../api/types";
import { Told } from "../faults";
import { fromNow, shownTime } from "../instants";
import { hashOf } from "../route";
import { AnswerList } from "./AnswerList";
import { Aside } from "./Aside";
import { Notes } from "./Notes";
import { Opinion } from "./Opinion";
import { PhotoView } from "./PhotoView";
import { VerdictForm } from "./VerdictForm";

interface Props {
  id: string;
  /** Where the keys 1 to 4 go. */
  choose: RefObject<(verdict: Verdict) => void>;
  /** The list must be asked for anew. */
  changed: () => void;
  next: () => void;
}

export function Referral({ id, choose, changed, next }: Props): JSX.Element {
  const say = useSay();
  const [detail, setDetail] = useState<Detail | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [at, setAt] = useState(0);
  /** The photo that decided comes first, also when it is told only after the clinician's own opinion. */
  const show = (found: Detail): void => {
    setDetail(found);
    const fresh = found.deciding_photo !== detail?.deciding_photo;
    setAt((before) => (fresh ? (found.deciding_photo ?? 1) - 1 : Math.min(before, found.photo_results.length - 1)));
  };
  const load = async (): Promise<void> => {
    try {
      const found = await get<Detail>(`/worklist/${id}`);
      setFault(null);
      show(found);
    } catch (why) {
      setFault(why);
    }
  };
  useEffect(() => void load(), [id]);
  const told = (found: Detail): void => {
    show(found);
    changed();
  };
  if (!detail)
    return (
      <div class="referral">
        <Back />
        {fault ? <Told fault={fault} /> : <p class="faint busy">{say("lock.working")}</p>}
      </div>
    );
  return (
    <div class="referral">
      <Back />
      <Head detail={detail} claim={async (claim) => {
        await post(`/worklist/${id}/claim`, { claim });
        await load();
        changed();
      }} />
      <div class="halves">
        <div>
          <PhotoView key={at} detail={detail} at={at} choose={setAt} />
          <Opinion detail={detail} at={at} />
          <AnswerList detail={detail} />
        </div>
        <div>
          <VerdictForm key={`${detail.blind}`} detail={detail} choose={choose} done={told} reload={() => void load()} next={next} />
          {!detail.blind && <Aside detail={detail} done={told} reload={() => void load()} />}
          <Notes detail={detail} />
        </div>
      </div>
    </div>
  );
}

function Back(): JSX.Element {
  const say = useSay();
  return (
    <a class="back" href={hashOf("worklist")}>
      <Icon name="back" turns />
      {say("place.worklist")}
    </a>
  );
}

function Head({ detail, claim }: { detail: Detail; claim: (claim: boolean) => Promise<void> }): JSX.Element {
  const say = useSay();
  const [fault, setFault] = useState<unknown>(null);
  const { state, waiting, claimed, claimed_by_me: mine, filed_at: filed, due_at: due, overdue, person } = detail;
  const facts = [
    say("referral.filed", { when: fromNow(filed) }),
    waiting && (overdue ? say("referral.was_due", { when: fromNow(due) }) : say("referral.due", { when: fromNow(due) })),
    person !== null && say("referral.person", { person }),
  ].filter((one) => typeof one === "string");
  return (
    <div class="head">
      <div>
        <Heading>{detail.outcome ? say(`outcome.${detail.outcome}`) : say("worklist.hidden")}</Heading>
        <p class="faint" title={shownTime(filed)}>
          {facts.join(" · ")}
        </p>
        <p class="tags">
          <i class="tag strong">{say(`state.${state}`)}</i>
          {detail.dangers.map((name) => (
            <i key={name} class="tag warn">
              {say(`risk.${name}`)}
            </i>
          ))}
        </p>
      </div>
      {claimed && <p class="note">{say("referral.claimed")}</p>}
      {waiting && !claimed && (
        <button aria-pressed={mine} onClick={() => void claim(!mine).catch(setFault)}>
          {say(mine ? "referral.give_back" : "referral.claim")}
        </button>
      )}
      <Told fault={fault} />
    </div>
  );
}
