import { type EventEnvelope, isEventEnvelope } from "./event_envelope.ts";

/** Asks the other side for the events of a topic. */
export const SUBSCRIBE = "__subscribe";
/** Takes that back. */
export const UNSUBSCRIBE = "__unsubscribe";

/** A control envelope that subscribes to or unsubscribes from a topic. */
export function controlEnvelope(type: typeof SUBSCRIBE | typeof UNSUBSCRIBE, topic: string): EventEnvelope {
  return { type, id: "", payload: { topic } };
}

/** The topic that a control envelope is about; undefined when it names none. */
export function controlTopic(envelope: EventEnvelope): string | undefined {
  const { payload } = envelope;
  if (typeof payload !== "object" || payload === null || !("topic" in payload)) return undefined;
  return typeof payload.topic === "string" ? payload.topic : undefined;
}

/** The envelopes of one text message, which is one or an array of them; undefined when it is anything else. */
export function parseFrame(data: unknown): readonly EventEnvelope[] | undefined {
  if (typeof data !== "string") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (isEventEnvelope(value)) return [value];
  return Array.isArray(value) && value.every(isEventEnvelope) ? value : undefined;
}
