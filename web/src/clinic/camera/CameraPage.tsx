// A camera at a border post or in a ward: consent, photos, questions, the answer, and the next person. All of it is
// judged in this browser, and nothing is kept or sent unless it is referred.

import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { toBundle } from "../../fhir/bundle";
import type { Answers } from "../../questions/answers";
import { type Agreement, resultOf } from "../../results/result";
import { combine } from "../../screen/decision";
import { Care } from "../../ui/Care";
import { Icon, useSay } from "../../ui/parts";
import { Policy } from "../../ui/Policy";
import { Questions } from "../../ui/Questions";
import { MAX_PHOTOS, type PhotoItem, WHOLE } from "../../ui/state";
import { Found } from "./Found";
import { Taking } from "./Taking";
import { type Judge, useEngine } from "./useEngine";

type Step = "care" | "policy" | "photos" | "questions" | "answer";

const BACK: Readonly<Record<Step, Step | null>> = { care: null, policy: "care", photos: "care", questions: "photos", answer: "questions" };
const PREVIEW_SIDE = 512; // px, the least short side of what a person looks at

export function CameraPage(): JSX.Element {
  const say = useSay();
  const engine = useEngine();
  const [step, setStep] = useState<Step>("care");
  const [agreement, setAgreement] = useState<Agreement | null>(null);
  const [answers, setAnswers] = useState<Answers>({});
  const { photos, add, remove, clear } = usePhotos(engine);
  const made = useMade(engine, photos, answers, agreement);
  const go = (to: Step): void => {
    setStep(to);
    window.scrollTo(0, 0);
  };
  const reset = (): void => {
    clear();
    setAgreement(null);
    setAnswers({});
    go("care");
  };
  const back = BACK[step];
  return (
    <div class="page camera-page">
      <div class="row">
        {back && (
          <button class="plain" onClick={() => go(back)}>
            <Icon name="back" turns />
            {say("app.back")}
          </button>
        )}
        <span class="grow" />
        <EngineLine engine={engine} />
        {step !== "care" && (
          <button class="plain" onClick={reset}>
            {say("station.next")}
          </button>
        )}
      </div>
      {step === "care" && (
        <Care
          agreement={agreement}
          agree={(given) => {
            setAgreement(given);
            go("photos");
          }}
          policy={() => go("policy")}
        />
      )}
      {step === "policy" && <Policy />}
      {step === "photos" && <Taking photos={photos} engine={engine} add={(file) => void add(file)} remove={remove} next={() => go("questions")} />}
      {step === "questions" && agreement && (
        <Questions
          answers={answers}
          set={setAnswers}
          agreement={agreement}
          agree={setAgreement}
          removePhotos={reset}
          next={() => go("answer")}
        />
      )}
      {step === "answer" && made && engine.ready && <Found made={made} photos={photos} engine={engine} manifest={engine.ready.manifest} next={reset} />}
    </div>
  );
}

interface Photos {
  photos: readonly PhotoItem[];
  add: (file: File) => Promise<void>;
  remove: (id: number) => void;
  clear: () => void;
}

function usePhotos(engine: Judge): Photos {
  const [photos, setPhotos] = useState<readonly PhotoItem[]>([]);
  const next = useRef(1);
  const change = (id: number, with_: Partial<PhotoItem>): void =>
    setPhotos((before) => before.map((item) => (item.id === id ? { ...item, ...with_ } : item)));
  const remove = (id: number): void => setPhotos((before) => before.filter((item) => item.id !== id));
  const add = async (file: File): Promise<void> => {
    const id = next.current++;
    setPhotos((before) => [...before, { id, file, preview: null, part: WHOLE, screened: null }].slice(0, MAX_PHOTOS));
    change(id, { preview: await engine.preview(file, PREVIEW_SIDE) });
    const screened = await engine.screen(file);
    if (screened) change(id, { screened });
    else remove(id); // the line above says why
  };
  return { photos, add, remove, clear: () => setPhotos([]) };
}

/** The person's decision and result; the same one, with the same number, until photos or answers change. */
function useMade({ ready }: Judge, photos: readonly PhotoItem[], answers: Answers, agreement: Agreement | null) {
  return useMemo(() => {
    const screened = photos.flatMap((item) => item.screened ?? []);
    if (!ready || !photos.length || screened.length < photos.length) return null;
    const decision = combine(screened.map((one) => one.decision), answers);
    const { manifest, label } = ready;
    const result = resultOf({ decision, photos: screened, answers, agreement, manifest, label });
    return { decision, result, json: JSON.stringify(toBundle(result)) };
  }, [photos, answers, agreement, ready]);
}

function EngineLine({ engine: { ready, share, fault, retry } }: { engine: Judge }): JSX.Element | null {
  const say = useSay();
  if (fault)
    return (
      <p class="bad" role="alert">
        {say(`engine.${fault}`)} <button onClick={retry}>{say("engine.retry")}</button>
      </p>
    );
  if (ready) return null;
  return (
    <p class="status" role="status">
      {say(share < 1 ? "engine.loading" : "engine.checking", { percent: Math.round(100 * share) })}
    </p>
  );
}
