// One's own account: the second factor and the password.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Heading, Icon, useSay } from "../../ui/parts";
import type { SessionOut } from "../api/types";
import { ChoosePassword } from "./ChoosePassword";
import { SetUpTotp } from "./SetUpTotp";

interface Props {
  session: SessionOut;
  entered: (session: SessionOut) => void;
  again: () => void;
  leave: () => void;
}

export function Account({ session, entered, again, leave }: Props): JSX.Element {
  const say = useSay();
  const [changed, setChanged] = useState(false);
  return (
    <div class="page narrow">
      <Heading>{session.name}</Heading>
      <p class="lead">
        {session.clinic} · {session.roles.map((role) => say(`role.${role}`)).join(", ")}
      </p>
      <div class="panel">
        <h2>{say("totp.title")}</h2>
        {session.totp ? (
          <p class="good">
            <Icon name="good" />
            {say("totp.done")}
          </p>
        ) : (
          <SetUpTotp done={again} />
        )}
      </div>
      <div class="panel">
        <h2>{say("password.title")}</h2>
        <p role="status" class={changed ? "good" : ""}>
          {changed && say("password.changed")}
        </p>
        <ChoosePassword
          done={(found) => {
            setChanged(true);
            entered(found);
          }}
        />
      </div>
      <button onClick={leave}>{say("sign.out")}</button>
    </div>
  );
}

/** What must be done before anything else. */
export function Unfinished({ session, entered, again, leave }: Props): JSX.Element {
  const say = useSay();
  return (
    <div class="sign">
      <div class="panel">
        <Heading>{say(`${session.unfinished!}.first`)}</Heading>
        {session.unfinished === "password" ? <ChoosePassword done={entered} /> : <SetUpTotp done={again} />}
      </div>
      <button class="plain" onClick={leave}>
        {say("sign.out")}
      </button>
    </div>
  );
}
