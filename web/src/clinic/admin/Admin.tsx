// Administration: people, devices, the clinic's choices, the audit log, erasing.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Heading, useSay } from "../../ui/parts";
import type { SessionOut } from "../api/types";
import { hashOf } from "../route";
import { AuditLog } from "./AuditLog";
import { Choices } from "./Choices";
import { Devices } from "./Devices";
import { Erase } from "./Erase";
import { People } from "./People";

const PARTS = ["people", "devices", "choices", "audit", "erase"] as const;

export function Admin({ part, session }: { part: string; session: SessionOut }): JSX.Element {
  const say = useSay();
  const shown = (PARTS as readonly string[]).includes(part) ? part : "people";
  const here = useRef<HTMLAnchorElement>(null);
  // On a phone the tabs are wider than the screen.
  useLayoutEffect(() => here.current?.scrollIntoView({ block: "nearest", inline: "center" }), [shown]);
  return (
    <div class="page admin">
      <Heading>{say("place.admin")}</Heading>
      <nav class="tabs" aria-label={say("place.admin")}>
        {PARTS.map((name) => (
          <a key={name} ref={name === shown ? here : null} href={hashOf("admin", name)} aria-current={name === shown ? "page" : undefined}>
            {say(`admin.${name}`)}
          </a>
        ))}
      </nav>
      {shown === "people" && <People own={session.user_id} />}
      {shown === "devices" && <Devices />}
      {shown === "choices" && <Choices />}
      {shown === "audit" && <AuditLog />}
      {shown === "erase" && <Erase />}
    </div>
  );
}
