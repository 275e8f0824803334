import type { SessionEvent, SessionFeed, SessionKey } from "./ports.ts";

/** Tells watchers in this process. */
export class LocalSessionFeed implements SessionFeed {
  readonly #listeners = new Map<string, Set<(event: SessionEvent) => void>>();

  publish(session: SessionKey, event: SessionEvent): void {
    for (const listener of [...this.#listeners.get(keyOf(session)) ?? []]) listener(event);
  }

  watch(session: SessionKey, listener: (event: SessionEvent) => void): () => void {
    const key = keyOf(session);
    const known = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, known);
    known.add(listener);
    return () => {
      known.delete(listener);
      if (known.size === 0 && this.#listeners.get(key) === known) this.#listeners.delete(key);
    };
  }
}

function keyOf({ orgId, sessionId }: SessionKey): string {
  return JSON.stringify([orgId, sessionId]);
}
