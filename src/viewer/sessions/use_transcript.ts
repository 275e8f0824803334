import { readServerSentEvents } from "@alkdev/client";
import { useEffect, useState } from "preact/hooks";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { foldChunk } from "./fold_chunk.ts";
import type { AgentSession } from "./agent_session.ts";
import type { UiChunk, UiMessage } from "./ui_message.ts";

/** The stream is drawn at most so often, in ms. */
const DRAW_MS = 60;
/** A stream that broke is opened again after so long, in ms. */
const AGAIN_MS = 1_000;

export interface Transcript {
  readonly session: AgentSession | null;
  /** Null: still loading. */
  readonly messages: readonly UiMessage[] | null;
  readonly error: unknown;
  readonly reload: () => void;
}

/** A session with what was said, and what is being said as it comes. */
export function useTranscript(id: string): Transcript {
  const path = `/api/sessions/${encodeURIComponent(id)}`;
  const session = useLoad(id, (signal) => hub.value.transport.json<AgentSession>("GET", path, { signal }), 1_500);
  const { turnId = null, lastActivityAt = 0, status = "" } = session.value ?? {};
  const said = useLoad(
    `${id} ${turnId} ${status} ${lastActivityAt}`,
    (signal) =>
      hub.value.transport.json<{ readonly items: readonly UiMessage[] }>("GET", `${path}/ui-messages`, { signal }),
  );
  const [kept, setKept] = useState<readonly UiMessage[] | null>(null);
  if (said.value !== null && said.value.items !== kept) setKept(said.value.items);
  const live = useTurn(path, turnId, session.reload);
  const messages = said.value?.items ?? kept;
  return {
    session: session.value,
    messages: messages === null ? null : live === null ? messages : withLive(messages, live),
    error: session.error ?? said.error,
    reload: session.reload,
  };
}

/** The message of the turn under way, from its stream; null: none is. */
function useTurn(path: string, turnId: string | null, onEnd: () => void): UiMessage | null {
  const [live, setLive] = useState<UiMessage | null>(null);
  useEffect(() => {
    setLive(null);
    if (turnId === null) return;
    const stop = new AbortController();
    let message: UiMessage | null = null;
    let timer: number | null = null;
    const draw = (): void => {
      timer = null;
      setLive(message);
    };
    const follow = async (): Promise<void> => {
      for (let isOver = false; !isOver && !stop.signal.aborted;) {
        isOver = await readTurn(path, stop.signal, (chunk) => {
          message = foldChunk(message, chunk);
          timer ??= setTimeout(draw, DRAW_MS);
        }).catch(() => false);
        if (!isOver) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
      if (!stop.signal.aborted) onEnd();
    };
    void follow();
    return () => {
      stop.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }, [path, turnId]);
  return live;
}

/** Whether the turn is over, rather than its stream broken. */
async function readTurn(path: string, signal: AbortSignal, onChunk: (chunk: UiChunk) => void): Promise<boolean> {
  const response = await hub.value.transport.send("GET", `${path}/stream`, {
    query: { stay: true },
    accept: "text/event-stream",
    signal,
  });
  if (response.status === 204 || response.body === null) return true;
  for await (const { data } of readServerSentEvents(response.body)) {
    if (data === "[DONE]") return true;
    onChunk(JSON.parse(data) as UiChunk); // the hub's own contract
  }
  return false;
}

/** The live message stands where the one of the same turn is, else behind what began the turn. */
function withLive(messages: readonly UiMessage[], live: UiMessage): readonly UiMessage[] {
  const at = messages.findIndex(({ id }) => id === live.id);
  return at === -1 ? [...messages, live] : messages.with(at, live);
}
