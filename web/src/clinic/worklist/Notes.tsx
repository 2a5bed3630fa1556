// What clinicians noted on a referral, oldest first.

import type { JSX } from "preact";
import { useSay } from "../../ui/parts";
import type { Detail } from "../api/types";
import { shownTime } from "../instants";

export function Notes({ detail }: { detail: Detail }): JSX.Element | null {
  const say = useSay();
  if (!detail.notes.length) return null;
  return (
    <div class="panel">
      <h2>{say("notes.title")}</h2>
      <ol class="notes">
        {detail.notes.map((note, i) => (
          <li key={i}>
            <p>
              <b>{note.by}</b> <span class="faint">{shownTime(note.at)}</span>
            </p>
            <p>
              {say(`notes.${note.kind}`)}
              {note.verdict && `: ${say(`verdict.${note.verdict}`)}`}
              {note.diagnosis && ` (${say(`class.${note.diagnosis}`)})`}
              {note.blind && note.kind !== "question" && <i class="tag">{say("notes.blind")}</i>}
            </p>
            {note.text && <blockquote>{note.text}</blockquote>}
          </li>
        ))}
      </ol>
      {detail.verdict && <p class="faint">{say(detail.reply_read ? "notes.read" : "notes.unread")}</p>}
    </div>
  );
}
