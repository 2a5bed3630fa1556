// What this is and is not.

import type { JSX } from "preact";
import { Heading, Icon, type IconName, useSay } from "./parts";

const POINTS: readonly (readonly [string, IconName])[] = [
  ["private", "lock"],
  ["aid", "aid"],
  ["offline", "plane"],
];

export function Welcome({ begin }: { begin: () => void }): JSX.Element {
  const say = useSay();
  return (
    <section class="welcome">
      <Lens />
      <div>
        <Heading>{say("welcome.title")}</Heading>
        <p class="lead">{say("welcome.lead")}</p>
        <button class="primary" onClick={begin}>
          {say("welcome.begin")}
        </button>
      </div>
      <ul class="points">
        {POINTS.map(([name, icon]) => (
          <li key={name}>
            <Icon name={icon} />
            <div>
              <b>{say(`welcome.${name}.title`)}</b>
              <span>{say(`welcome.${name}.text`)}</span>
            </div>
          </li>
        ))}
      </ul>
      <p class="note urgent">
        <Icon name="refer" />
        <span>{say("welcome.urgent")}</span>
      </p>
    </section>
  );
}

/** Skin of several tones under a lens; drawn, so that it stands for nobody. */
function Lens(): JSX.Element {
  return (
    <svg class="lens" viewBox="0 0 320 200" aria-hidden="true">
      {["#f3d3b8", "#e0ac83", "#b97a50", "#8a5535", "#55331f"].map((tone, i) => (
        <path key={tone} fill={tone} d={`M0 ${40 * i + 18}C70 ${40 * i - 6} 210 ${40 * i + 34} 320 ${40 * i + 6}V200H0z`} />
      ))}
      <g fill="#9c3a2a" opacity=".8">
        <circle cx="60" cy="66" r="6" />
        <circle cx="96" cy="118" r="7" />
        <circle cx="250" cy="58" r="5" />
        <circle cx="276" cy="136" r="7" />
        <circle cx="44" cy="160" r="5" />
      </g>
      <g>
        <path d="M214 142l44 40" stroke="var(--accent)" stroke-width="13" stroke-linecap="round" />
        <circle cx="176" cy="102" r="56" fill="#c98f68" stroke="var(--paper)" stroke-width="13" />
        <circle cx="176" cy="102" r="56" fill="none" stroke="var(--accent)" stroke-width="7" />
        <Lesion cx={162} cy={92} r={17} />
        <Lesion cx={196} cy={120} r={12} />
        <Lesion cx={192} cy={78} r={8} />
      </g>
    </svg>
  );
}

function Lesion({ cx, cy, r }: { cx: number; cy: number; r: number }): JSX.Element {
  return (
    <g>
      <circle cx={cx} cy={cy} r={r} fill="#a8442f" />
      <circle cx={cx} cy={cy} r={r * 0.72} fill="#f3dcc0" />
      <circle cx={cx} cy={cy} r={r * 0.26} fill="#a8674a" />
    </g>
  );
}
