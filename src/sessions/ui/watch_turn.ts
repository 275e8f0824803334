import type { Clock } from "../../../engine/mod.ts";
import type { SessionFeed, SessionKey, SessionStore } from "../ports.ts";
import type { SessionTurn } from "../session.ts";
import { EventQueue } from "./event_queue.ts";
import { type KnownSteps, TurnChunks } from "./turn_chunks.ts";
import { turnMessages } from "./turn_messages.ts";
import type { UiChunk } from "./ui_chunk.ts";

/** How long an event may have been lost before the store is looked at anyway. */
const LOOK_EVERY_MS = 2_000;

export interface WatchPorts {
  readonly store: Pick<SessionStore, "messages" | "turn">;
  readonly feed: Pick<SessionFeed, "watch">;
  readonly clock: Pick<Clock, "now" | "at">;
}

export interface WatchedTurn extends SessionKey {
  readonly turn: SessionTurn;
  /** What the page has of the turn already. */
  readonly known: KnownSteps;
  /** Calls that a person has just answered, as message and call. */
  readonly answered: readonly { readonly messageId: string; readonly toolCallId: string }[];
  /** Goes on while a person is asked; else the stream ends there, so that the page can answer with its next request. */
  readonly stays: boolean;
  readonly signal: AbortSignal;
}

/**
 * A turn as a page is told of it: from its beginning, or from behind what the page knows, to its end. What is committed comes from
 * the store, what is not yet from the feed; an event that gets lost is made good by looking at the store. Each item is what can
 * be told at once.
 */
export async function* watchTurn(
  ports: WatchPorts,
  watched: WatchedTurn,
): AsyncGenerator<readonly UiChunk[], void, undefined> {
  const { orgId, sessionId, known, answered, signal, stays } = watched;
  const key = { orgId, sessionId };
  const turnId = watched.turn.id;
  const chunks = new TurnChunks(watched.turn, known);
  const queue = new EventQueue();
  // Before the store is read: nothing that is committed after falls in between.
  const leave = ports.feed.watch(key, (event) => queue.push(event));
  try {
    yield [chunks.start()];
    for (let looks = true;;) {
      let ended: SessionTurn | null = null;
      if (looks) {
        // The turn first: what ends it comes after all its messages.
        const now = await ports.store.turn({ orgId, turnId });
        const told = (await turnMessages(ports.store, key, turnId)).flatMap((message) => chunks.message(message));
        for (const { messageId, toolCallId } of answered) chunks.answered(messageId, toolCallId);
        if (told.length > 0) yield told;
        if (now === null) return;
        if (now.status !== "open") ended = now;
      }
      if (ended !== null) return yield chunks.end(ended);
      const events = queue.take();
      if (events === null) chunks.missed();
      else {
        const told = events.flatMap((event) => chunks.event(event));
        if (told.length > 0) yield told;
      }
      const isOver = events?.some((event) => event.type === "turn-end" && event.turn.id === turnId) === true;
      looks = chunks.takeWantsRead() || isOver;
      if (looks) continue;
      if (chunks.isWaiting && !stays) return yield chunks.pause();
      looks = await quiet(queue, ports.clock, signal);
      if (signal.aborted) return;
    }
  } finally {
    leave();
  }
}

/** Waits for events; true: none has come for a while. */
async function quiet(queue: EventQueue, clock: WatchPorts["clock"], signal: AbortSignal): Promise<boolean> {
  const waiting = new AbortController();
  let isLate = false;
  const cancel = clock.at(clock.now() + LOOK_EVERY_MS, () => {
    isLate = true;
    waiting.abort();
  });
  const onAbort = (): void => waiting.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) waiting.abort();
  try {
    await queue.filled(waiting.signal);
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
  return isLate;
}
