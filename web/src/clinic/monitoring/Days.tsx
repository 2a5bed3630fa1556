// Referrals a day: bars for those that came, a line for those that were answered, and the same as a table.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useSay } from "../../ui/parts";
import type { DayOut } from "../api/types";
import { grouped, ticks } from "./scale";

const HEIGHT = 190; // px
const LEFT = 30;
const BOTTOM = 24;
const TOP = 12;

export function Days({ days }: { days: readonly DayOut[] }): JSX.Element {
  const say = useSay();
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const filed = days.reduce((sum, day) => sum + day.filed, 0);
  const answered = days.reduce((sum, day) => sum + day.answered, 0);
  return (
    <div>
      <p class="legend" aria-hidden="true">
        <span class="came">{say("days.filed")}</span>
        <span class="went">{say("days.answered")}</span>
      </p>
      <div ref={place} class="chart" role="img" aria-label={say("days.alt", { n: days.length, filed, answered })}>
        {width > 0 && <Drawing days={grouped(days, Math.floor((width - LEFT) / 9))} width={width} />}
      </div>
      <details>
        <summary>{say("days.table")}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={say("days.table")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{say("days.day")}</th>
                <th scope="col">{say("days.filed")}</th>
                <th scope="col">{say("days.answered")}</th>
              </tr>
            </thead>
            <tbody>
              {days.map((day) => (
                <tr key={day.day}>
                  <th scope="row">{shown(day.day)}</th>
                  <td>{day.filed}</td>
                  <td>{day.answered}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

function Drawing({ days, width }: { days: readonly DayOut[]; width: number }): JSX.Element {
  const steps = ticks(Math.max(1, ...days.map((day) => Math.max(day.filed, day.answered))));
  const top = steps[steps.length - 1]!;
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const each = (width - LEFT - 6) / days.length;
  const x = (i: number): number => LEFT + (i + 0.5) * each;
  const every = Math.max(1, Math.ceil(64 / each)); // a date takes about 64 px
  const line = days.map((day, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(day.answered).toFixed(1)}`).join("");
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} aria-hidden="true">
      {steps.map((step) => (
        <g key={step}>
          <path class="grid" d={`M${LEFT} ${y(step)}H${width}`} />
          <text class="left" x={LEFT - 8} y={y(step) + 4}>
            {step}
          </text>
        </g>
      ))}
      {days.map((day, i) => (
        <rect key={day.day} class="came" x={x(i) - each * 0.36} width={each * 0.72} y={y(day.filed)} height={y(0) - y(day.filed)} rx={Math.min(3, each / 4)} />
      ))}
      <path class="went" d={line} />
      {days.map((day, i) => day.answered > 0 && <circle key={day.day} class="went" cx={x(i)} cy={y(day.answered)} r={Math.min(3, each / 3)} />)}
      {days.map(
        (day, i) =>
          (days.length - 1 - i) % every === 0 && (
            <text key={day.day} class={i === days.length - 1 ? "end" : "date"} x={i === days.length - 1 ? width : x(i)} y={HEIGHT - 6}>
              {shown(day.day)}
            </text>
          ),
      )}
    </svg>
  );
}

/** A UTC day, in words. */
const shown = (day: string): string =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" });

function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!place.current) return undefined;
    const seen = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    seen.observe(place.current);
    return () => seen.disconnect();
  }, []);
  return width;
}
