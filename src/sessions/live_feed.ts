import type { SessionEvent, SessionFeed, SessionKey } from "./ports.ts";

type Listener = (event: SessionEvent) => void;
type Delta = Extract<SessionEvent, { readonly text: string }>;
type StepStart = Extract<SessionEvent, { readonly type: "step-start" }>;

/** The step that is under way, as far as it has come: what no store has yet. */
interface OpenStep {
  readonly start: StepStart;
  readonly deltas: Delta[];
}

/** Carries events to and from other hubs; sessions go by a key that is the same on all of them. */
export interface FeedRelay {
  published(key: string, event: SessionEvent): void;
  /** Somebody here has begun to watch. */
  watching(key: string): void;
}

/**
 * Events of sessions within this hub. Whoever comes while a step is under way is told first what has come of it so far, so that
 * it goes on from there. A listener must not throw, and is not waited for.
 */
export class LiveFeed implements SessionFeed {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #open = new Map<string, OpenStep>();
  /** Those of other hubs: forgotten with their last listener, as nobody says how they end. */
  readonly #foreign = new Set<string>();
  /** Null: this hub is alone. */
  relay: FeedRelay | null = null;

  publish(session: SessionKey, event: SessionEvent): void {
    const name = nameOf(session);
    this.#foreign.delete(name);
    this.#tell(name, event);
    this.relay?.published(name, event);
  }

  /** An event of a session whose turn another hub drives. */
  deliver(key: string, event: unknown): void {
    if (!this.#listeners.has(key)) return;
    this.#foreign.add(key);
    this.#tell(key, event as SessionEvent); // only hubs write there, and they write what they publish
  }

  watch(session: SessionKey, listener: Listener): () => void {
    const name = nameOf(session);
    const listeners = this.#listeners.get(name) ?? new Set();
    const isFirst = listeners.size === 0;
    this.#listeners.set(name, listeners.add(listener));
    for (const event of this.open(name)) listener(event);
    if (isFirst) this.relay?.watching(name);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(name);
      if (this.#foreign.delete(name)) this.#open.delete(name);
    };
  }

  /** Keys of the sessions that somebody here watches. */
  watched(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  /** What has come of the step that is under way; empty: none is, or not here. */
  open(key: string): readonly SessionEvent[] {
    const open = this.#open.get(key);
    return open === undefined ? [] : [open.start, ...open.deltas];
  }

  #tell(name: string, event: SessionEvent): void {
    this.#remember(name, event);
    for (const listener of [...this.#listeners.get(name) ?? []]) listener(event);
  }

  #remember(name: string, event: SessionEvent): void {
    switch (event.type) {
      case "step-start":
        return void this.#open.set(name, { start: event, deltas: [] });
      case "text-delta":
      case "reasoning-delta":
      case "tool-input-delta": {
        const open = this.#open.get(name);
        if (open === undefined || open.start.messageId !== event.messageId) return;
        const last = open.deltas.at(-1);
        if (last !== undefined && isSamePart(last, event)) {
          open.deltas[open.deltas.length - 1] = { ...last, text: last.text + event.text };
        } else open.deltas.push(event);
        return;
      }
      case "step-end":
      case "turn-end":
        return void this.#open.delete(name);
      default:
        return;
    }
  }
}

function isSamePart(a: Delta, b: Delta): boolean {
  if (a.type !== b.type) return false;
  return a.type !== "tool-input-delta" || b.type !== "tool-input-delta" || a.toolCallId === b.toolCallId;
}

function nameOf({ orgId, sessionId }: SessionKey): string {
  return JSON.stringify([orgId, sessionId]);
}
