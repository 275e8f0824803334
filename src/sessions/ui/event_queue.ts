import type { SessionEvent } from "../ports.ts";

/** Characters of deltas that may wait for a page that reads slowly. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_EVENTS = 10_000;

/**
 * Live events between the feed and one page. A page that reads slower than a model writes is not waited for: deltas that stand
 * behind each other become one, and where even that is too much all are dropped, to be made good from the store.
 */
export class EventQueue {
  #events: SessionEvent[] = [];
  #characters = 0;
  #isShed = false;
  #wake: () => void = () => {};

  push(event: SessionEvent): void {
    if ("text" in event) {
      const last = this.#events.at(-1);
      this.#characters += event.text.length;
      const joined = last === undefined ? null : join(last, event);
      if (joined !== null) this.#events[this.#events.length - 1] = joined;
      else this.#events.push(event);
    } else this.#events.push(event);
    if (this.#characters > MAX_CHARACTERS || this.#events.length > MAX_EVENTS) this.#shed();
    this.#wake();
  }

  /** What has come; null: too much has, and it is gone. */
  take(): readonly SessionEvent[] | null {
    const events = this.#isShed ? null : this.#events;
    this.#events = [];
    this.#characters = 0;
    this.#isShed = false;
    return events;
  }

  /** Resolves when something is there, or the signal aborts. */
  async filled(signal: AbortSignal): Promise<void> {
    if (this.#events.length > 0 || this.#isShed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#wake = () => {};
  }

  #shed(): void {
    this.#events = [];
    this.#characters = 0;
    this.#isShed = true;
  }
}

/** Two deltas of one part as one; null: they are of different ones. */
function join(last: SessionEvent, next: SessionEvent): SessionEvent | null {
  if (last.type === "tool-input-delta" && next.type === "tool-input-delta") {
    return last.messageId === next.messageId && last.toolCallId === next.toolCallId
      ? { ...last, text: last.text + next.text }
      : null;
  }
  if (
    (last.type === "text-delta" && next.type === "text-delta") ||
    (last.type === "reasoning-delta" && next.type === "reasoning-delta")
  ) return last.messageId === next.messageId ? { ...last, text: last.text + next.text } : null;
  return null;
}
