// Kept results: listed, opened, saved as files, deleted, locked, and wiped in one tap.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { lockNow, removeLock, whenKeysChange } from "../results/keys";
import { forget, type Kept, list, type Listed } from "../results/kept";
import { LockForm, UnlockForm } from "./Lock";
import { Heading, Icon, useSay } from "./parts";
import { saveResult } from "./save";
import { Sheet, shownTime } from "./Sheet";
import { wipeEverything } from "./wipe";

export function Results(): JSX.Element {
  const say = useSay();
  const [listed, setListed] = useState<Listed | null>(null);
  const [told, setTold] = useState("");
  const [locking, setLocking] = useState(false);
  const status = useRef<HTMLParagraphElement>(null);
  const latest = useRef(0);
  const load = (message?: string): void => {
    if (message !== undefined) setTold(message);
    const mine = ++latest.current; // an earlier look may end later, and show what was wiped meanwhile
    const show = (found: Listed): void => void (mine === latest.current && setListed(found));
    list().then(show, () => {
      show(NOTHING);
      setTold(say("keep.failed"));
    });
  };
  useLayoutEffect(() => {
    load();
    const stop = whenKeysChange(load); // locked by leaving the page, or unlocked by another part of it
    const shown = (): void => void (document.visibilityState === "visible" && load()); // another tab may have wiped it
    document.addEventListener("visibilitychange", shown);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", shown);
    };
  }, []);
  const after = (work: Promise<void>, message = ""): void =>
    void work.then(
      () => {
        load(message);
        status.current?.focus(); // the button that was pressed may be gone
      },
      () => setTold(say("keep.failed")),
    );
  const kept = listed && !listed.locked ? listed.kept : [];
  const hasLock = listed !== null && !listed.locked && listed.hasLock;
  return (
    <section class="results">
      <Heading>{say("results.title")}</Heading>
      <p class="lead">{say("results.lead")}</p>
      <p role="status" tabIndex={-1} ref={status}>
        {told}
      </p>
      {listed?.locked && <UnlockForm done={() => setTold("")} />}
      {listed && !listed.locked && !kept.length && !told && <p>{say("results.none")}</p>}
      <ul class="photos">
        {kept.map((one) => (
          <One key={one.id} one={one} remove={() => after(forget(one.id), say("results.deleted"))} />
        ))}
      </ul>
      {listed && !listed.locked && listed.some && !hasLock && !locking && (
        <button onClick={() => setLocking(true)}>
          <Icon name="lock" />
          {say("lock.title")}
        </button>
      )}
      {locking && (
        <LockForm
          done={() => {
            setLocking(false);
            setTold("");
          }}
        />
      )}
      {hasLock && (
        <div class="card">
          <p role="status">{say("lock.on")}</p>
          <div class="row">
            <button onClick={lockNow}>
              <Icon name="lock" />
              {say("lock.now")}
            </button>
            <button onClick={() => after(removeLock(), "")}>{say("lock.remove")}</button>
          </div>
        </div>
      )}
      {listed && (
        <div class="row end">
          <button class="danger" onClick={() => after(wipeEverything(), say("results.wiped"))}>
            {say("results.wipe")}
          </button>
        </div>
      )}
    </section>
  );
}

const NOTHING: Listed = { locked: false, hasLock: false, some: false, kept: [] };

function One({ one, remove }: { one: Kept; remove: () => void }): JSX.Element {
  const say = useSay();
  const [open, setOpen] = useState(false);
  const { result, text } = one;
  const name = result ? `${say(`title.${result.outcome}`)}, ${shownTime(result.made)}` : "";
  return (
    <li class={`card kept ${result?.outcome ?? ""}`}>
      <div class="row">
        {result ? (
          <>
            <Icon name={result.outcome} />
            <b class="grow">
              {say(`title.${result.outcome}`)}
              <small>{shownTime(result.made)}</small>
            </b>
          </>
        ) : (
          <b class="grow">{say("results.damaged")}</b>
        )}
      </div>
      <div class="row small">
        {result && (
          <button class="plain" aria-expanded={open} aria-label={`${say(open ? "app.close" : "results.open")}: ${name}`} onClick={() => setOpen(!open)}>
            {say(open ? "app.close" : "results.open")}
          </button>
        )}
        {result && text && (
          <button class="plain" aria-label={`${say("results.save")}: ${name}`} onClick={() => saveResult(text, result)}>
            {say("results.save")}
          </button>
        )}
        <button class="plain" aria-label={`${say("results.delete")}: ${name}`} onClick={remove}>
          {say("results.delete")}
        </button>
      </div>
      {open && result && <Sheet result={result} />}
    </li>
  );
}
