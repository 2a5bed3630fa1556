// The last step of the camera page and of a scanned code: whether it becomes a referral, and the patient's code.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Tick } from "../../ui/Choice";
import { Icon, useSay } from "../../ui/parts";
import type { ReferralOut } from "../api/types";
import { Told, useWork } from "../faults";
import { Field } from "../Field";
import { hashOf } from "../route";
import { file } from "./file";

interface Props {
  json: string;
  id: string;
  /** Makes the photos to send; null where there are none to send. */
  pictures: (() => Promise<Blob[]>) | null;
  filed: (told: ReferralOut) => void;
}

export function FileForm({ json, id, pictures, filed }: Props): JSX.Element {
  const say = useSay();
  const [person, setPerson] = useState("");
  const [withPhotos, setWithPhotos] = useState(false);
  const [training, setTraining] = useState(false);
  const { busy, fault, run } = useWork();
  const send = async (): Promise<void> => {
    const photos = withPhotos && pictures ? await pictures() : [];
    filed(await file({ json, id, photos, training, person }));
  };
  return (
    <form
      class="panel filing"
      onSubmit={(event) => {
        event.preventDefault();
        void run(send);
      }}
    >
      <h2>{say("file.title")}</h2>
      <p>{say(pictures ? "file.text_photo" : "file.text")}</p>
      <Field label={say("file.person")} name="person" hint={say("file.person_hint")} maxLength={64} autocomplete="off" value={person} set={setPerson} />
      {pictures && <Tick name="send-photos" label={say("file.photos")} checked={withPhotos} set={setWithPhotos} />}
      {pictures && withPhotos && <Tick name="training" label={say("file.training")} checked={training} set={setTraining} />}
      <Told fault={fault} />
      <button class="primary" type="submit" disabled={busy}>
        {say(busy ? "lock.working" : "file.send")}
      </button>
    </form>
  );
}

/** What the patient takes home. */
export function Filed({ told }: { told: ReferralOut }): JSX.Element {
  const say = useSay();
  return (
    <div class="panel filing" role="status">
      <p class="good">
        <Icon name="good" />
        {say(told.replayed ? "file.again" : "file.done")}
      </p>
      <p>{say("file.code")}</p>
      <p class="reply-code">{told.code}</p>
      <a class="screen-only" href={hashOf("worklist", told.id)}>
        {say("file.open")}
      </a>
    </div>
  );
}
