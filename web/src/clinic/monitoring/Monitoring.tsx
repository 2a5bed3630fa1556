// How the clinic and the model do: what happened, how long it took, and whether the model's evidence still fits.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Heading, Icon, useSay } from "../../ui/parts";
import { get } from "../api/client";
import type { FigureOut, MonitoringOut, Ratio } from "../api/types";
import { Told } from "../faults";
import { shownDay, shownHours } from "../instants";
import { Counted } from "./Counted";
import { Days } from "./Days";
import { Figures, percents } from "./Figures";

const ENOUGH = 20; // cases with a positive PCR (monitoring/figures.py)
const PERIODS = [7, 28, 90, 365] as const;

export function Monitoring(): JSX.Element {
  const say = useSay();
  const [days, setDays] = useState(28);
  const [found, setFound] = useState<MonitoringOut | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<MonitoringOut>(`/monitoring?last_days=${days}`, stop.signal).then(
      (told) => {
        setFound(told);
        setFault(null);
      },
      (why: unknown) => void (stop.signal.aborted || setFault(why)),
    );
    return () => stop.abort();
  }, [days]);
  return (
    <div class="page monitoring">
      <div class="row top">
        <Heading>{say("place.monitoring")}</Heading>
        <span class="grow" />
        <select aria-label={say("monitoring.period")} value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          {PERIODS.map((n) => (
            <option key={n} value={n}>
              {say("monitoring.last", { n })}
            </option>
          ))}
        </select>
      </div>
      <Told fault={fault} />
      {found ? <Shown found={found} /> : !fault && <p class="faint busy">{say("lock.working")}</p>}
    </div>
  );
}

function Shown({ found }: { found: MonitoringOut }): JSX.Element {
  const say = useSay();
  const { turn_around: turn } = found;
  return (
    <>
      <Warnings figures={[...found.accuracy, ...found.drift]} />
      <dl class="tiles">
        <Tile name={say("monitoring.referrals")} value={found.referrals.toLocaleString(document.documentElement.lang)} />
        <Tile
          name={say("monitoring.median")}
          value={turn.median_hours === null ? "–" : shownHours(turn.median_hours)}
          more={turn.ninetieth_hours === null ? "" : say("monitoring.ninetieth", { time: shownHours(turn.ninetieth_hours) })}
        />
        <RatioTile name={say("monitoring.in_time")} ratio={turn.in_time} />
        <RatioTile name={say("monitoring.agreement")} ratio={found.agreement} />
        <RatioTile name={say("monitoring.agreement_blind")} ratio={found.agreement_blind} />
      </dl>
      <div class="panel">
        <h2>{say("monitoring.days")}</h2>
        <Days days={found.days} />
      </div>
      <div class="thirds">
        <Counted title={say("monitoring.outcomes")} counts={found.outcomes} word={(code) => say(`outcome.${code}`)} toned />
        <Counted title={say("monitoring.verdicts")} counts={found.verdicts} word={(code) => say(`verdict.${code}`)} />
        <Counted title={say("monitoring.pcr")} counts={found.pcr} word={(code) => say(`pcr.${code}`)} />
      </div>
      <div class="panel">
        <h2>{say("monitoring.accuracy")}</h2>
        <p class="faint">{say("monitoring.accuracy_text")}</p>
        <Figures figures={found.accuracy} caption={say("monitoring.accuracy")} />
      </div>
      <div class="panel">
        <h2>{say("monitoring.drift")}</h2>
        <p class="faint">{say("monitoring.drift_text")}</p>
        <Figures figures={found.drift} caption={say("monitoring.drift")} />
      </div>
      <div class="panel">
        <h2>{say("monitoring.caveats")}</h2>
        <ul class="caveats">
          {["tested", "tone"].map((name) => (
            <li key={name}>{say(`monitoring.caveat.${name}`)}</li>
          ))}
          <li>{say("disclaimer")}</li>
        </ul>
        <p class="faint small-print">{say("monitoring.of", { from: shownDay(found.start), to: shownDay(found.end), bundle: found.bundle })}</p>
      </div>
    </>
  );
}

/** In plain words, above everything else. */
function Warnings({ figures }: { figures: readonly FigureOut[] }): JSX.Element {
  const say = useSay();
  const bad = figures.filter(({ warning }) => warning !== null);
  // The server warns from so many cases on; with fewer, no warning says nothing.
  const told = figures.some(({ name, group, found }) => name === "sensitivity" && group === "all" && found.n >= ENOUGH);
  if (!bad.length)
    return (
      <p class={told ? "panel calm" : "panel early"}>
        <Icon name={told ? "good" : "aid"} />
        {say(told ? "monitoring.calm" : "monitoring.early", { n: ENOUGH })}
      </p>
    );
  return (
    <div class="panel alarm" role="alert">
      <Icon name="refer" />
      <div>
        <h2>{say("monitoring.alarm")}</h2>
        <ul>
          {bad.map(({ name, group, found }) => (
            <li key={name + group}>
              {say(`monitoring.warning.${name}`)} {group !== "all" && `(${say(`group.${group}`)}) `}
              <b>{percents(found)}</b>
            </li>
          ))}
        </ul>
        <p>{say("monitoring.alarm_text")}</p>
      </div>
    </div>
  );
}

function Tile({ name, value, more = "" }: { name: string; value: string; more?: string }): JSX.Element {
  return (
    <div class="panel tile">
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        <small>{more || "\u00a0"}</small>
      </dd>
    </div>
  );
}

function RatioTile({ name, ratio }: { name: string; ratio: Ratio }): JSX.Element {
  const say = useSay();
  if (ratio.value === null) return <Tile name={name} value="–" more={say("monitoring.no_case")} />;
  const range = say("monitoring.range", { low: Math.round(100 * ratio.low), high: Math.round(100 * ratio.high), n: ratio.n });
  return <Tile name={name} value={`${Math.round(100 * ratio.value)} %`} more={range} />;
}
