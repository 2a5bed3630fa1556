// Shares with their 95 % intervals beside what the bundle's evidence says, drawn into a table that reads well aloud.

import type { JSX } from "preact";
import { useSay } from "../../ui/parts";
import type { FigureOut, Ratio } from "../api/types";

/** "83 % (61–94)" */
export const percents = ({ value, low, high }: { value: number | null; low: number; high: number }): string =>
  value === null ? "–" : `${Math.round(100 * value)} % (${Math.round(100 * low)}–${Math.round(100 * high)})`;

export function Figures({ figures, caption }: { figures: readonly FigureOut[]; caption: string }): JSX.Element {
  const say = useSay();
  const names = [...new Set(figures.map(({ name }) => name))];
  return (
    <table class="figures">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{say("figures.group")}</th>
          <td class="drawn">
            <Axis />
          </td>
          <th scope="col">{say("figures.found")}</th>
          <th scope="col">{say("figures.expected")}</th>
        </tr>
      </thead>
      {names.map((name) => (
        <tbody key={name}>
          <tr class="of">
            <th scope="rowgroup" colSpan={4}>
              {say(`figure.${name}`)}
            </th>
          </tr>
          {figures
            .filter((figure) => figure.name === name)
            .map((figure) => (
              <Row key={figure.group} figure={figure} />
            ))}
        </tbody>
      ))}
    </table>
  );
}

function Row({ figure: { group, found, expected, warning } }: { figure: FigureOut }): JSX.Element {
  const say = useSay();
  return (
    <tr class={warning ? "off" : ""}>
      <th scope="row">{say(`group.${group}`)}</th>
      <td class="drawn" aria-hidden="true">
        <Interval found={found} expected={expected} />
      </td>
      <td>
        {found.value === null ? say("monitoring.no_case") : percents(found)}
        {found.value !== null && <small> {say("figures.of", { n: found.n })}</small>}
      </td>
      <td data-name={`${say("figures.expected")}:`}>{expected ? percents(expected) : "–"}</td>
    </tr>
  );
}

/** A dot in its interval; behind it, as a band, the interval that is expected. */
function Interval({ found, expected }: { found: Ratio; expected: FigureOut["expected"] }): JSX.Element {
  const place = (low: number, high: number): { left: string; width: string } => ({ left: `${100 * low}%`, width: `${100 * (high - low)}%` });
  return (
    <div class="interval">
      {expected && <i class="band" style={place(expected.low, expected.high)} />}
      {found.value !== null && (
        <>
          <i class="range" style={place(found.low, found.high)} />
          <i class="dot" style={{ left: `${100 * found.value}%` }} />
        </>
      )}
    </div>
  );
}

function Axis(): JSX.Element {
  return (
    <div class="axis" aria-hidden="true">
      {[0, 50, 100].map((at) => (
        <span key={at} style={{ left: `${at}%` }}>
          {at} %
        </span>
      ))}
    </div>
  );
}
