import type { EventEnvelope } from "./event_envelope.ts";
import { type EnvelopeListener, toEvent } from "./typed_event_target.ts";

/** The listeners of an adapter by topic; says when a topic gets its first and loses its last one. */
export class TopicListeners {
  readonly #topics = new Map<string, Set<EnvelopeListener>>();

  /** Returns whether the topic had none before. */
  add(topic: string, listener: EnvelopeListener | null): boolean {
    if (listener === null) return false;
    const listeners = this.#topics.get(topic);
    if (listeners !== undefined) {
      listeners.add(listener);
      return false;
    }
    this.#topics.set(topic, new Set([listener]));
    return true;
  }

  /** Returns whether the topic has none left, having had one. */
  remove(topic: string, listener: EnvelopeListener | null): boolean {
    const listeners = this.#topics.get(topic);
    if (listener === null || listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return false;
    return this.#topics.delete(topic);
  }

  /** Calls the listeners of the envelope's topic. One that throws does not keep the others from hearing it. */
  deliver(envelope: EventEnvelope): void {
    const event = toEvent(envelope);
    for (const listener of [...this.#topics.get(event.type) ?? []]) {
      try {
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      } catch (error) {
        // As an EventTarget does: the error is the host's to report, not the sender's.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
