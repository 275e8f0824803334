import { type EventEnvelope, isReservedType, toTopic } from "./event_envelope.ts";
import { Repeater } from "./repeater.ts";
import { type EnvelopeEvent, toEvent, type TypedEventTarget } from "./typed_event_target.ts";

/** Event type -> type of its payload. */
export type PubSubEventMap = Readonly<Record<string, unknown>>;

export interface PubSubConfig {
  /** What carries the events. Default: a fresh `EventTarget`, for this process alone. */
  readonly eventTarget?: TypedEventTarget;
  /** How many events a slow subscriber may be behind before it is ended with an error. Default: any number. */
  readonly maxBuffered?: number;
}

/** Typed publish and subscribe over a transport. */
export interface PubSub<TMap extends object> {
  /** @throws {TypeError} when the type begins with `__`, which is kept for adapters */
  publish<TType extends keyof TMap & string>(type: TType, id: string, payload: TMap[TType]): void;
  /** The envelopes of exactly this type and id. Listening begins when the first one is asked for. */
  subscribe<TType extends keyof TMap & string>(type: TType, id: string): Repeater<EventEnvelope<TType, TMap[TType]>>;
}

/** Makes a {@linkcode PubSub}. */
export function createPubSub<TMap extends object = PubSubEventMap>(config: PubSubConfig = {}): PubSub<TMap> {
  const target: TypedEventTarget = config.eventTarget ?? new EventTarget();
  const options = config.maxBuffered === undefined ? {} : { maxBuffered: config.maxBuffered };
  return {
    publish(type, id, payload): void {
      if (isReservedType(type)) {
        throw new TypeError(`Cannot publish an event of type "${type}" as types that begin with "__" are reserved`);
      }
      target.dispatchEvent(toEvent({ type, id, payload }));
    },
    subscribe<TType extends keyof TMap & string>(type: TType, id: string) {
      const topic = toTopic(type, id);
      return new Repeater<EventEnvelope<TType, TMap[TType]>>((push, stop) => {
        // The topic says the type, and the map says the payload's.
        const listener = (event: EnvelopeEvent) => void push(event.detail as EventEnvelope<TType, TMap[TType]>);
        target.addEventListener(topic, listener);
        stop.then(() => target.removeEventListener(topic, listener));
      }, options);
    },
  };
}
