// The clinic's pages: who is signed in, where one is, and the page of that place.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { LANGUAGES, remember, type Words as Sentences } from "../messages";
import { later } from "../ui/later";
import { Heading, Words } from "../ui/parts";
import type { Role, SessionOut } from "./api/types";
import { Told } from "./faults";
import { OFFERED } from "./messages";
import { PlaceIcon } from "./PlaceIcon";
import { hashOf, type Place, useRoute } from "./route";
import { Account, Unfinished } from "./session/Account";
import { Confirm } from "./session/Confirm";
import { SignIn } from "./session/SignIn";
import { type Signing, useSession } from "./session/useSession";
import { type Spoken, useLanguage } from "./useLanguage";
import { Worklist } from "./worklist/Worklist";

const CameraPage = later(async () => (await import("./camera/CameraPage")).CameraPage);
const Handover = later(async () => (await import("./handover/Handover")).Handover);
const Monitoring = later(async () => (await import("./monitoring/Monitoring")).Monitoring);
const Admin = later(async () => (await import("./admin/Admin")).Admin);

const MENU: readonly (readonly [Place, readonly Role[]])[] = [
  ["worklist", ["clinician"]],
  ["camera", ["clinician"]],
  ["handover", ["clinician"]],
  ["monitoring", ["clinician", "administrator"]],
  ["admin", ["administrator"]],
];

const allowed = (session: SessionOut): Place[] => MENU.filter(([, roles]) => roles.some((role) => session.roles.includes(role))).map(([place]) => place);

export function Clinic({ first, firstWords }: { first: string; firstWords: Sentences }): JSX.Element {
  const spoken = useLanguage(first, firstWords);
  const signing = useSession();
  return (
    <Words.Provider value={spoken.say}>
      <Page spoken={spoken} signing={signing} />
    </Words.Provider>
  );
}

function Page({ spoken, signing }: { spoken: Spoken; signing: Signing }): JSX.Element {
  const { say } = spoken;
  const { sign } = signing;
  const { place: wanted, part } = useRoute();
  const session = sign.kind === "in" && !sign.session.unfinished ? sign.session : null;
  const places = session ? allowed(session) : [];
  const place: Place = wanted === "account" || places.includes(wanted) ? wanted : (places[0] ?? "worklist");
  useEffect(() => {
    document.title = `${session ? say(`place.${place}`) : say("sign.title")} – poxlens`;
  }, [place, session, say]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {say("clinic.skip")}
      </a>
      <header>
        <b class="brand">poxlens</b>
        {session && <Menu places={places} place={place} />}
        <span class="grow" />
        {OFFERED.length > 1 && <Language spoken={spoken} />}
        {session && (
          <a class="who" href={hashOf("account")} aria-current={place === "account" ? "page" : undefined}>
            <b>{session.name}</b>
            <small>{session.clinic}</small>
          </a>
        )}
      </header>
      {sign.kind === "in" && <Confirm session={sign.session} />}
      <main id="main" tabIndex={-1}>
        {session ? <At place={place} part={part} session={session} signing={signing} /> : <Out signing={signing} />}
      </main>
      {!LANGUAGES[spoken.language]!.reviewed && (
        <footer>
          <p class="faint">{say("app.unreviewed")}</p>
        </footer>
      )}
    </>
  );
}

function At({ place, part, session, signing }: { place: Place; part: string; session: SessionOut; signing: Signing }): JSX.Element {
  const { entered, again, leave } = signing;
  if (place === "account") return <Account session={session} entered={entered} again={again} leave={() => void leave()} />;
  if (place === "camera") return <CameraPage />;
  if (place === "handover") return <Handover />;
  if (place === "monitoring") return <Monitoring />;
  if (place === "admin") return <Admin part={part} session={session} />;
  return <Worklist part={part} session={session} />;
}

function Out({ signing }: { signing: Signing }): JSX.Element {
  const { sign, entered, again, leave } = signing;
  if (sign.kind === "in") return <Unfinished session={sign.session} entered={entered} again={again} leave={() => void leave()} />;
  if (sign.kind === "out") return <SignIn why={sign.why} entered={entered} />;
  return <Waiting signing={signing} />;
}

function Waiting({ signing: { sign, again } }: { signing: Signing }): JSX.Element {
  return (
    <Words.Consumer>
      {(say) => (
        <div class="sign">
          <Heading>{say(`sign.${sign.kind}`)}</Heading>
          {sign.kind === "no_server" && <p>{say("sign.no_server_text")}</p>}
          {sign.kind === "offline" && <Told fault={sign.fault} />}
          {sign.kind !== "asking" && <button onClick={again}>{say("engine.retry")}</button>}
        </div>
      )}
    </Words.Consumer>
  );
}

function Menu({ places, place }: { places: readonly Place[]; place: Place }): JSX.Element {
  return (
    <Words.Consumer>
      {(say) => (
        <nav class="menu" aria-label={say("clinic.menu")}>
          {places.map((one) => (
            <a key={one} href={hashOf(one)} aria-current={one === place ? "page" : undefined}>
              <PlaceIcon place={one} />
              <span>{say(one === "admin" ? "menu.admin" : `place.${one}`)}</span>
            </a>
          ))}
        </nav>
      )}
    </Words.Consumer>
  );
}

function Language({ spoken: { say, language, choose } }: { spoken: Spoken }): JSX.Element {
  return (
    <select
      aria-label={say("app.language")}
      value={language}
      onChange={(event) => {
        remember(event.currentTarget.value);
        choose(event.currentTarget.value);
      }}
    >
      {OFFERED.map((code) => (
        <option key={code} value={code} lang={code}>
          {LANGUAGES[code]!.name}
        </option>
      ))}
    </select>
  );
}

/** The address after "#" is the page's own, so the link moves the focus by itself. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
