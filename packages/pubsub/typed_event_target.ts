import { type EventEnvelope, toTopic } from "./event_envelope.ts";

/** An envelope on its way: `type` is the composite topic, `detail` the whole envelope. */
export type EnvelopeEvent = CustomEvent<EventEnvelope>;

/** Hears the envelopes of one topic: a function, or an object as the DOM has it. */
export type EnvelopeListener = ((event: EnvelopeEvent) => void) | { handleEvent(event: EnvelopeEvent): void };

/**
 * What a transport offers. The global `EventTarget` is one. A null or unknown callback is a no-op; a callback added twice
 * to a topic is called once; an adapter gives up the underlying subscription with the topic's last listener.
 */
export interface TypedEventTarget {
  addEventListener(type: string, callback: EnvelopeListener | null): void;
  /** Always true: envelopes cannot be cancelled. */
  dispatchEvent(event: EnvelopeEvent): boolean;
  removeEventListener(type: string, callback: EnvelopeListener | null): void;
}

/** The event that carries an envelope, typed by the composite topic: the bare type would reach no channel. */
export function toEvent(envelope: EventEnvelope): EnvelopeEvent {
  return new CustomEvent(toTopic(envelope.type, envelope.id), { detail: envelope });
}
