// Sending a result to the clinic's server, where a deployment has one; the only thing of the page that sends.

import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { base64, NotFiled, photoToSend, refer, type Refusal, SHORT } from "../referral";
import { HandedOver } from "../referral/HandedOver";
import { hand } from "../referral/sender";
import { deviceToken, rememberToken } from "../referral/store";
import { useRows } from "../referral/useRows";
import { boxOf } from "../photo/decode";
import type { Result } from "../results/result";
import { Tick } from "./Choice";
import { later } from "./later";
import { UnlockForm } from "./Lock";
import { useSay } from "./parts";
import type { PhotoItem } from "./state";
import type { EngineState } from "./useEngine";

const Scan = later(async () => (await import("./Scan")).Scan);
const TOKEN = /^poxd_[\w-]{20,100}$/; // what the clinic's page shows as a QR code

interface Props {
  clinic: string;
  result: Result;
  /** The FHIR Bundle's JSON. */
  json: string;
  photos: readonly PhotoItem[];
  open: EngineState["preview"];
}

/** Codes of results that were filed where the browser keeps nothing, so that coming back does not file again. */
const filed = new Map<string, string>();

export function Send({ clinic, result, json, photos, open }: Props): JSX.Element {
  const say = useSay();
  const [token, setToken] = useState("");
  const [locked, setLocked] = useState(false);
  const [person, setPerson] = useState("");
  const [withPhotos, setWithPhotos] = useState(false);
  const [training, setTraining] = useState(false);
  const [sending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<{ why: Refusal; detail: string } | null>(null);
  const rows = useRows();
  const row = rows?.find(({ id }) => id === result.id);
  const code = filed.get(result.id);
  const name = new URL(clinic).host;
  // A photo that could not be opened cannot be sent, and the clinic wants all of them or none.
  const sendable = photos.every((item) => item.preview);

  const recall = async (): Promise<void> => {
    const kept = await deviceToken().catch(() => "");
    setLocked(kept === null);
    if (kept) setToken((typed) => typed || kept);
  };
  useLayoutEffect(() => void recall(), []);

  const send = async (): Promise<void> => {
    setSending(true);
    setRefusal(null);
    try {
      const sent = withPhotos && sendable ? await pictures(photos, open) : [];
      const load = { json, photos: sent, training, person };
      await handOver(load).catch(async (fault: Error) => {
        if (fault.name === "Locked") return setLocked(true);
        // Storage is refused: it is sent now or not at all.
        filed.set(result.id, await refer(clinic, token.trim(), { ...load, id: result.id }));
      });
    } catch (fault) {
      setRefusal(fault instanceof NotFiled ? { why: fault.why, detail: fault.message } : { why: "refused", detail: String(fault) });
    }
    setSending(false);
  };
  const handOver = async (load: Parameters<typeof hand>[2]): Promise<void> => {
    await rememberToken(token.trim());
    await hand(clinic, result.id, load);
  };
  if (row) return <HandedOver row={row} clinic={clinic} again={() => setRefusal(null)} />;
  if (code !== undefined)
    return (
      <div class="card send" role="status">
        <h2>{say("send.done", { clinic: name })}</h2>
        <p>{say("send.code")}</p>
        <p class="reply">{code}</p>
      </div>
    );
  if (locked) return <UnlockForm done={() => void recall()} />;
  return (
    <form class="card send" onSubmit={(event) => (event.preventDefault(), void send())}>
      <h2>{say("send.title")}</h2>
      <p>{say("send.text", { clinic: name })}</p>
      <p class="secret">
        <label for="device">{say("send.token_label")}</label>
        <input id="device" type="password" autocomplete="off" required value={token} onInput={(event) => setToken(event.currentTarget.value)} />
      </p>
      {!token && <Scan quiet heard={(text) => TOKEN.test(text) && setToken(text)} />}
      <p class="secret">
        <label for="person">{say("send.person")}</label>
        <input id="person" autocomplete="off" maxLength={64} value={person} onInput={(event) => setPerson(event.currentTarget.value)} />
      </p>
      {sendable && <Tick name="send-photos" label={say("send.photos")} checked={withPhotos} set={setWithPhotos} />}
      {withPhotos && <Tick name="training" label={say("send.training")} checked={training} set={setTraining} />}
      {refusal && (
        <p class="bad" role="alert">
          {say(`send.${refusal.why}`)} {refusal.why === "refused" && <span lang="en">{refusal.detail}</span>}
        </p>
      )}
      <button class="primary" type="submit" disabled={sending}>
        {say(sending ? "lock.working" : "send.send")}
      </button>
    </form>
  );
}

/** One after the other: a large photo takes much memory while it is open. */
async function pictures(photos: readonly PhotoItem[], open: EngineState["preview"]): Promise<string[]> {
  const found: string[] = [];
  for (const { file, part } of photos) {
    const opened = await open(file, SHORT);
    if (!opened) throw new NotFiled("refused", "a photo could not be opened");
    const { image } = opened;
    found.push(await base64(await photoToSend(image, boxOf(part, image.width, image.height))));
  }
  return found;
}
