// The page: which step is shown, what is known so far, and the engine behind it.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { toBundle } from "../fhir/bundle";
import { LANGUAGES } from "../messages";
import { type Made, resultOf } from "../results/result";
import { combine } from "../screen/decision";
import type { Settings } from "../settings";
import { About } from "./About";
import { Answer } from "./Answer";
import { Care } from "./Care";
import { Crop } from "./Crop";
import { Languages } from "./Languages";
import { later } from "./later";
import { Icon, Words } from "./parts";
import { Photos } from "./Photos";
import { Questions } from "./Questions";
import { EMPTY, MAX_PHOTOS, reduce, type State, type Step, WHOLE } from "./state";
import { Status } from "./Status";
import { Summary } from "./Summary";
import type { Spoken } from "./useLanguage";
import { type EngineState, useEngine } from "./useEngine";
import { Welcome } from "./Welcome";

const Results = later(async () => (await import("./Results")).Results);
const SentList = later(async () => (await import("../referral/SentList")).SentList);
const Policy = later(async () => (await import("./Policy")).Policy);

export function App({ language, say, choose, settings }: Spoken & { settings: Settings }): JSX.Element {
  const [state, act] = useReducer(reduce, EMPTY);
  const [about, setAbout] = useState(false);
  const engine = useEngine();
  const next = useRef(1);
  const { step, photos, answers, agreement } = state;
  const found = useFound(state, engine);

  const go = (to: Step): void => {
    history.pushState({ step: to }, "");
    act({ kind: "go", step: to });
  };
  // Before anything can be pressed: later it would overwrite the first step forward.
  useLayoutEffect(() => {
    history.replaceState({ step: "welcome" }, "");
    const back = (event: PopStateEvent): void =>
      act({ kind: "go", step: (event.state as { step?: Step } | null)?.step ?? "welcome" });
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);

  const present = useRef(photos);
  present.current = photos;
  const looking = useRef(new Map<number, AbortController>());
  const look = async (id: number, file: Blob, part = WHOLE): Promise<void> => {
    looking.current.get(id)?.abort(); // another part of it is wanted now
    const { signal } = keptIn(looking.current, id);
    act({ kind: "change", id, with: { part, screened: null } });
    const screened = await engine.screen(file, part, signal);
    if (signal.aborted) return;
    if (screened) act({ kind: "change", id, with: { screened } });
    else act({ kind: "remove", id }); // the status line says why
  };
  const add = async (files: readonly File[]): Promise<void> => {
    const room = files.slice(0, MAX_PHOTOS - photos.length);
    for (const file of room) {
      const id = next.current++;
      act({ kind: "add", item: { id, file, preview: null, part: WHOLE, screened: null } });
      const preview = await engine.preview(file);
      if (!present.current.some((item) => item.id === id)) continue; // taken away while it was opened
      if (preview) act({ kind: "change", id, with: { preview } });
      if (preview && room.length === 1) {
        history.pushState({ step: "crop" }, "");
        act({ kind: "crop", id });
      }
      await look(id, file);
    }
  };
  const cropping = photos.find((item) => item.id === state.cropping);

  return (
    <Words.Provider value={say}>
      <header>
        {step === "welcome" ? (
          <b class="brand">poxlens</b>
        ) : (
          <button class="plain" onClick={() => history.back()}>
            <Icon name="back" turns />
            {say("app.back")}
          </button>
        )}
        <span class="grow" />
        <Languages language={language} choose={choose} />
        <button class="plain" onClick={() => setAbout(true)} aria-label={say("app.about")}>
          <Icon name="aid" />
        </button>
      </header>
      <main key={step} class={step === "welcome" || step === "answer" ? "" : "narrow"}>
        {step === "welcome" && <Welcome begin={() => go("care")} />}
        {step === "care" && (
          <Care
            agreement={agreement}
            agree={(given) => {
              act({ kind: "agree", agreement: given });
              go("photos");
            }}
            policy={() => go("policy")}
          />
        )}
        {step === "photos" && (
          <Photos
            photos={photos}
            limits={engine.ready?.manifest.gate.quality ?? null}
            add={(files) => void add(files)}
            crop={(id) => {
              history.pushState({ step: "crop" }, "");
              act({ kind: "crop", id });
            }}
            remove={(id) => {
              looking.current.get(id)?.abort();
              act({ kind: "remove", id });
            }}
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
        {step === "questions" && agreement && (
          <Questions
            answers={answers}
            set={(given) => act({ kind: "answers", answers: given })}
            agreement={agreement}
            agree={(given) => act({ kind: "agree", agreement: given })}
            removePhotos={() => {
              act({ kind: "remove all" });
              go("care");
            }}
            next={() => go("answer")}
          />
        )}
        {step === "answer" && engine.ready && found && (
          <Answer
            {...found}
            photos={photos}
            answers={answers}
            manifest={engine.ready.manifest}
            prevalence={settings.prevalence}
            more={() => go("photos")}
            change={() => go("questions")}
            summary={() => go("summary")}
            results={() => go("results")}
            reset={() => {
              act({ kind: "reset" });
              go("welcome");
            }}
          />
        )}
        {step === "summary" && found && <Summary result={found.result} json={found.json} photos={photos} clinic={settings.clinic} open={engine.preview} />}
        {step === "results" && <Results />}
        {step === "results" && settings.clinic && <SentList clinic={settings.clinic} />}
        {step === "policy" && <Policy />}
      </main>
      <footer>
        <Status engine={engine} />
        <nav class="links">
          <button onClick={() => go("results")}>{say("results.title")}</button>
          <button onClick={() => go("policy")}>{say("policy.title")}</button>
          <a href="reader.html">{say("reader.title")}</a>
        </nav>
        {!LANGUAGES[language]!.reviewed && <p class="faint">{say("app.unreviewed")}</p>}
      </footer>
      {about && <About ready={engine.ready} close={() => setAbout(false)} />}
    </Words.Provider>
  );
}

type Found = Pick<Made, "decision"> & { result: ReturnType<typeof resultOf>; json: string };

/** The person's decision and result; the same one, with the same number, until photos or answers change. */
function useFound({ photos, answers, agreement }: State, { ready }: EngineState): Found | null {
  return useMemo(() => {
    const screened = photos.flatMap((item) => item.screened ?? []);
    if (!ready || !photos.length || screened.length < photos.length) return null;
    const decision = combine(screened.map((one) => one.decision), answers);
    const { manifest, label } = ready;
    const result = resultOf({ decision, photos: screened, answers, agreement, manifest, label });
    return { decision, result, json: JSON.stringify(toBundle(result)) };
  }, [photos, answers, agreement, ready]);
}

/** A new controller for a photo. */
function keptIn(all: Map<number, AbortController>, id: number): AbortController {
  const made = new AbortController();
  all.set(id, made);
  return made;
}

const same = (a: typeof WHOLE, b: typeof WHOLE): boolean =>
  a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;
