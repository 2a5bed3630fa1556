// The clinic's reply to a referral, asked for by its code.

export interface Reply {
  state: "waiting" | "answered";
  filed_at: string;
  answered_at: string | null;
  answer: string | null;
  title: string;
  message: string | null;
  test_result: "positive" | "negative" | "inconclusive" | "not_done" | null;
}

/** The code is sent in the body, as addresses are written to logs. Null where the clinic does not know it (any more). @throws TypeError without a network; Error */
export async function askReply(origin: string, code: string): Promise<Reply | null> {
  const answer = await fetch(`${origin}/v1/status`, {
    method: "POST",
    credentials: "omit",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return (await answer.json()) as Reply;
}
