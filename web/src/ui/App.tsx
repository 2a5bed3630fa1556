// The page: which step is shown, what is known so far, and the engine behind it.

import type { JSX } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { LANGUAGES, remember, type Say } from "../messages";
import type { Settings } from "../settings";
import { About } from "./About";
import { Answer } from "./Answer";
import { Crop } from "./Crop";
import { Icon, Words } from "./parts";
import { Photos } from "./Photos";
import { Questions } from "./Questions";
import { EMPTY, MAX_PHOTOS, reduce, type Step, WHOLE } from "./state";
import { Status } from "./Status";
import { Summary } from "./Summary";
import { type EngineState, useEngine } from "./useEngine";
import { Welcome } from "./Welcome";

const BACK: Readonly<Partial<Record<Step, Step>>> = {
  photos: "welcome",
  crop: "photos",
  questions: "photos",
  answer: "questions",
  summary: "answer",
};

interface Props {
  language: string;
  say: Say;
  settings: Settings;
  choose: (code: string) => void;
}

export function App({ language, say, settings, choose }: Props): JSX.Element {
  const [state, act] = useReducer(reduce, EMPTY);
  const [about, setAbout] = useState(false);
  const engine = useEngine();
  const next = useRef(1);
  const { step, photos } = state;

  const go = (to: Step): void => {
    history.pushState({ step: to }, "");
    act({ kind: "go", step: to });
  };
  useEffect(() => {
    history.replaceState({ step: "welcome" }, "");
    const back = (event: PopStateEvent): void =>
      act({ kind: "go", step: (event.state as { step?: Step } | null)?.step ?? "welcome" });
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);

  const look = async (id: number, file: Blob, part = WHOLE): Promise<void> => {
    act({ kind: "change", id, with: { part, screened: null } });
    const screened = await engine.screen(file, part);
    if (screened) act({ kind: "change", id, with: { screened } });
    else act({ kind: "remove", id }); // the status line says why
  };
  const add = async (files: readonly File[]): Promise<void> => {
    const room = files.slice(0, MAX_PHOTOS - photos.length);
    for (const file of room) {
      const id = next.current++;
      act({ kind: "add", item: { id, file, preview: null, part: WHOLE, screened: null } });
      const preview = await engine.preview(file);
      if (preview) act({ kind: "change", id, with: { preview } });
      if (preview && room.length === 1) {
        history.pushState({ step: "crop" }, "");
        act({ kind: "crop", id });
      }
      await look(id, file);
    }
  };
  const cropping = photos.find((item) => item.id === state.cropping);
  const back = BACK[step];

  return (
    <Words.Provider value={say}>
      <header>
        {back ? (
          <button class="plain" onClick={() => history.back()}>
            <Icon name="back" />
            {say("app.back")}
          </button>
        ) : (
          <b class="brand">poxlens</b>
        )}
        <span class="grow" />
        {Object.keys(LANGUAGES).length > 1 && <Languages language={language} choose={choose} say={say} />}
        <button class="plain" onClick={() => setAbout(true)} aria-label={say("app.about")}>
          <Icon name="aid" />
        </button>
      </header>
      <main key={step}>
        {step === "welcome" && <Welcome begin={() => go("photos")} />}
        {step === "photos" && (
          <Photos
            photos={photos}
            add={(files) => void add(files)}
            crop={(id) => {
              history.pushState({ step: "crop" }, "");
              act({ kind: "crop", id });
            }}
            remove={(id) => act({ kind: "remove", id })}
            next={() => go("questions")}
          />
        )}
        {step === "crop" && cropping?.preview && (
          <Crop
            key={cropping.id}
            preview={cropping.preview}
            part={cropping.part}
            least={engine.ready?.manifest.gate.quality.min_short_side ?? 128}
            done={(part) => {
              if (!same(part, cropping.part)) void look(cropping.id, cropping.file, part);
              history.back();
            }}
          />
        )}
        {step === "questions" && (
          <Questions
            context={state.context}
            set={(context) => act({ kind: "context", context })}
            next={() => go("answer")}
          />
        )}
        {step === "answer" && engine.ready && (
          <Answer
            photos={photos}
            context={state.context}
            manifest={engine.ready.manifest}
            prevalence={settings.prevalence}
            more={() => go("photos")}
            change={() => go("questions")}
            summary={() => go("summary")}
            reset={() => {
              act({ kind: "reset" });
              go("welcome");
            }}
          />
        )}
        {step === "summary" && engine.ready && (
          <Summary photos={photos} context={state.context} manifest={engine.ready.manifest} label={engine.ready.label} />
        )}
      </main>
      <Footer engine={engine} reviewed={LANGUAGES[language]?.reviewed ?? true} say={say} />
      {about && <About ready={engine.ready} close={() => setAbout(false)} />}
    </Words.Provider>
  );
}

const same = (a: typeof WHOLE, b: typeof WHOLE): boolean =>
  a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;

function Footer({ engine, reviewed, say }: { engine: EngineState; reviewed: boolean; say: Say }): JSX.Element {
  return (
    <footer>
      <Status engine={engine} />
      {!reviewed && <p class="faint">{say("app.unreviewed")}</p>}
    </footer>
  );
}

function Languages({ language, choose, say }: { language: string; choose: (code: string) => void; say: Say }): JSX.Element {
  return (
    <select
      aria-label={say("app.language")}
      value={language}
      onChange={(event) => {
        remember(event.currentTarget.value);
        choose(event.currentTarget.value);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, { name }]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}
