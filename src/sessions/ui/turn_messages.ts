import type { SessionKey, SessionStore } from "../ports.ts";
import type { Message } from "../session.ts";

const PAGE = 200;

/** The messages of a turn, oldest first, by looking back from the session's end until it has begun. */
export async function turnMessages(
  store: Pick<SessionStore, "messages">,
  key: SessionKey,
  turnId: string,
): Promise<readonly Message[]> {
  for (let limit = PAGE;; limit *= 4) {
    const newest = await store.messages({ ...key, limit, newest: true });
    const first = newest[0];
    const isAll = newest.length < limit || first === undefined || first.seq === 1;
    // What a turn began with is its first message; what is of other turns stands before it.
    const begins = newest.findIndex((message) => message.turnId === turnId);
    if (isAll || begins > 0) return newest.filter((message) => message.turnId === turnId);
  }
}
