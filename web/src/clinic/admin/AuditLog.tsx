// The audit log, newest first, and whether its chain of hashes is whole.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon, useSay } from "../../ui/parts";
import { get, post } from "../api/client";
import type { AuditCheck, AuditLine } from "../api/types";
import { Told, useWork } from "../faults";
import { shownTime } from "../instants";

const PAGE = 100;

export function AuditLog(): JSX.Element {
  const say = useSay();
  const [lines, setLines] = useState<readonly AuditLine[]>([]);
  const [ended, setEnded] = useState(false);
  const { busy, fault, run } = useWork();
  const more = (): Promise<boolean> =>
    run(async () => {
      const last = lines[lines.length - 1];
      const found = await get<AuditLine[]>(`/admin/audit?most=${PAGE}${last ? `&before=${last.number}` : ""}`);
      setLines([...lines, ...found]);
      setEnded(found.length < PAGE);
    });
  useEffect(() => void more(), []);
  return (
    <>
      <Check />
      <Told fault={fault} />
      <div class="panel scroll" tabIndex={0} role="region" aria-label={say("admin.audit")}>
        <table class="audit">
          <thead>
            <tr>
              {["number", "at", "actor", "action", "object", "detail"].map((name) => (
                <th key={name} scope="col">
                  {say(`audit.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.number}>
                <td>{line.number}</td>
                <td>{shownTime(line.at)}</td>
                <td title={line.actor}>{short(line.actor)}</td>
                <td>{line.action}</td>
                <td title={line.object}>{short(line.object)}</td>
                <td>{Object.entries(line.detail).map(([name, value]) => `${name}: ${String(value)}`).join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!ended && (
        <button disabled={busy} onClick={() => void more()}>
          {say(busy ? "lock.working" : "worklist.more")}
        </button>
      )}
    </>
  );
}

function Check(): JSX.Element {
  const say = useSay();
  const [found, setFound] = useState<AuditCheck | null>(null);
  const { busy, fault, run } = useWork();
  return (
    <div class="panel">
      <p>{say("audit.text")}</p>
      <div role="status">
        {found && (
          <p class={found.fault === null ? "good" : "bad"}>
            <Icon name={found.fault === null ? "good" : "refer"} />
            {found.fault === null ? say("audit.whole", { n: found.lines }) : say("audit.broken", { fault: found.fault })}
          </p>
        )}
        {found && (
          <p class="faint">
            {say("audit.head")} <code class="token">{found.head}</code>
          </p>
        )}
      </div>
      <Told fault={fault} />
      <button disabled={busy} onClick={() => void run(async () => setFound(await post<AuditCheck>("/admin/audit/verify")))}>
        {say(busy ? "lock.working" : "audit.verify")}
      </button>
    </div>
  );
}

/** "user:0b8c7a52…": the first of a long id is enough to tell it apart, and the whole one is in the title. */
const short = (text: string): string => text.replace(/\b([0-9a-f]{8})[0-9a-f]{24}\b/g, "$1…");
