// Why a file cannot be read as a photo; the sentences are in the message files under "unreadable.<code>".

export type UnreadableCode =
  | "empty" | "io" | "not_an_image" | "unsupported" | "truncated" | "corrupt" | "too_large";

export class Unreadable extends Error {
  constructor(readonly code: UnreadableCode) {
    super(`unreadable.${code}`);
  }
}
