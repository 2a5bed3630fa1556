// Accounts: made, given other roles, closed, opened again, and given a new first password.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Tick } from "../../ui/Choice";
import { useSay } from "../../ui/parts";
import { ask, post } from "../api/client";
import type { FirstPassword, Role, UserOut } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";
import { Secret } from "./Secret";
import { useList } from "./useList";

const ROLES: readonly Role[] = ["clinician", "administrator"];

export function People({ own }: { own: string }): JSX.Element {
  const say = useSay();
  const { list, fault, again } = useList<UserOut>("/admin/users");
  const [first, setFirst] = useState<FirstPassword | null>(null);
  const made = (found: FirstPassword): void => {
    setFirst(found);
    void again();
  };
  return (
    <>
      <Told fault={fault} />
      <ul class="cards">
        {list?.map((user) => (
          <One key={`${user.id}${user.roles}${user.on_duty}${user.escalation}${user.email}`} user={user} self={user.id === own} again={again} made={made} />
        ))}
      </ul>
      <details class="panel fold">
        <summary>{say("people.new")}</summary>
        <New made={made} />
      </details>
      {first && (
        <Secret
          title={say("people.first", { name: first.user.name })}
          text={say("people.first_text")}
          secret={first.password}
          close={() => setFirst(null)}
        />
      )}
    </>
  );
}

function One({ user, self, again, made }: { user: UserOut; self: boolean; again: () => Promise<void>; made: (found: FirstPassword) => void }): JSX.Element {
  const say = useSay();
  const [open, setOpen] = useState(false);
  const { busy, fault, run } = useWork();
  const address = `/admin/users/${user.id}`;
  const change = (body: object): void =>
    void run(async () => {
      await ask<UserOut>("PATCH", address, body);
      await again();
    });
  return (
    <li class={user.closed ? "panel closed" : "panel"}>
      <div class="row">
        <div class="grow">
          <b>{user.name}</b> {self && <span class="faint">{say("people.you")}</span>}
          <p class="faint">{[...user.roles.map((role) => say(`role.${role}`)), user.email].filter(Boolean).join(" · ")}</p>
          <p class="tags">
            {user.on_duty && <i class="tag strong">{say("people.on_duty")}</i>}
            {user.escalation && <i class="tag">{say("people.escalation")}</i>}
            {user.totp && <i class="tag">{say("totp.title")}</i>}
            {user.openid && <i class="tag">OpenID</i>}
            {user.locked && <i class="tag warn">{say("people.locked")}</i>}
            {user.closed && <i class="tag warn">{say("people.closed")}</i>}
          </p>
        </div>
        <button aria-expanded={open} aria-label={`${say("people.change")}: ${user.name}`} onClick={() => setOpen(!open)}>
          {say("people.change")}
        </button>
      </div>
      {open && (
        <div class="opened">
          {!self &&
            ROLES.map((role) => {
              const has = user.roles.includes(role);
              const roles = has ? user.roles.filter((one) => one !== role) : [...user.roles, role];
              return <Tick key={role} name={`${role}-${user.id}`} label={say(`role.${role}`)} checked={has} set={() => roles.length && change({ roles })} />;
            })}
          <Tick name={`duty-${user.id}`} label={say("people.on_duty_text")} checked={user.on_duty} set={(on) => change({ on_duty: on })} />
          <Tick name={`second-${user.id}`} label={say("people.escalation_text")} checked={user.escalation} set={(on) => change({ escalation: on })} />
          <Mail user={user} save={(email) => change({ email })} />
          {!self && (
            <div class="row">
              <button disabled={busy} onClick={() => void run(async () => made(await post<FirstPassword>(`${address}/reset`)))}>
                {say("people.reset")}
              </button>
              <button class={user.closed ? "" : "danger"} disabled={busy} onClick={() => change({ closed: !user.closed })}>
                {say(user.closed ? "people.reopen" : "people.close")}
              </button>
            </div>
          )}
          <Told fault={fault} />
        </div>
      )}
    </li>
  );
}

function Mail({ user, save }: { user: UserOut; save: (email: string) => void }): JSX.Element {
  const say = useSay();
  const [email, setEmail] = useState(user.email ?? "");
  return (
    <form
      class="row bottom"
      onSubmit={(event) => {
        event.preventDefault();
        save(email.trim());
      }}
    >
      <Field label={say("people.email")} name={`email-${user.id}`} type="email" autocomplete="off" maxLength={254} value={email} set={setEmail} />
      <button type="submit" disabled={!email.trim() || email.trim() === user.email}>
        {say("admin.save")}
      </button>
    </form>
  );
}

function New({ made }: { made: (found: FirstPassword) => void }): JSX.Element {
  const say = useSay();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>(["clinician"]);
  const [duty, setDuty] = useState(false);
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    made(await post<FirstPassword>("/admin/users", { name: name.trim(), roles, email: email.trim() || null, on_duty: duty }));
    setName("");
    setEmail("");
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}
    >
      <Field label={say("sign.name")} name="new-name" required maxLength={80} autocomplete="off" autocapitalize="none" value={name} set={setName} />
      <Field label={say("people.email")} name="new-email" type="email" maxLength={254} autocomplete="off" hint={say("people.email_hint")} value={email} set={setEmail} />
      {ROLES.map((role) => (
        <Tick
          key={role}
          name={`new-${role}`}
          label={say(`role.${role}`)}
          checked={roles.includes(role)}
          set={(on) => setRoles(ROLES.filter((one) => (one === role ? on : roles.includes(one))))}
        />
      ))}
      <Tick name="new-duty" label={say("people.on_duty_text")} checked={duty} set={setDuty} />
      <Told fault={fault} />
      <button class="primary" type="submit" disabled={busy || !roles.length}>
        {say("people.make")}
      </button>
    </form>
  );
}
