// How many of each kind, as bars.

import type { JSX } from "preact";
import { useSay } from "../../ui/parts";

interface Props {
  title: string;
  counts: Readonly<Record<string, number>>;
  word: (code: string) => string;
  /** Whether the codes are outcomes, which have colours. */
  toned?: boolean;
}

export function Counted({ title, counts, word, toned = false }: Props): JSX.Element {
  const say = useSay();
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...rows.map(([, n]) => n));
  return (
    <div class="panel counted">
      <h2>{title}</h2>
      {!rows.length && <p class="faint">{say("monitoring.none")}</p>}
      <dl class="shares">
        {rows.map(([code, n]) => (
          <div key={code} class={toned ? code : ""}>
            <dt>{word(code)}</dt>
            <dd>
              <i style={{ width: `calc((100% - 3rem) * ${n / most})` }} />
              <span>{n}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
