/** One WebSocket as an event target. @module */
import { isReservedType } from "./event_envelope.ts";
import { FrameSender } from "./frame_sender.ts";
import { controlEnvelope, parseFrame, SUBSCRIBE, UNSUBSCRIBE } from "./frames.ts";
import { TopicListeners } from "./topic_listeners.ts";
import type { TypedEventTarget } from "./typed_event_target.ts";
import type { WebSocketLike } from "./web_socket_like.ts";

export type { WebSocketLike } from "./web_socket_like.ts";

export interface WebSocketClientOptions {
  /** Start with arrays of envelopes. Default: false, until `batch` is set. */
  readonly batch?: boolean;
  /** Told about messages that are no envelopes; they are dropped. */
  readonly onInvalid?: (data: unknown) => void;
}

/** What {@linkcode createWebSocketClientEventTarget} makes. */
export interface WebSocketClientEventTarget extends TypedEventTarget {
  /** Whether envelopes sent in one turn travel as one array. Set it once both sides have said that they read arrays. */
  batch: boolean;
}

/**
 * Sends what is dispatched, and delivers what arrives to the listeners of its topic. The first listener of a topic tells the
 * other side `__subscribe`, the last one leaving `__unsubscribe`. What is dispatched here is not heard here.
 *
 * Works at both ends of one connection: control envelopes that arrive are ignored, and everything dispatched is sent.
 */
export function createWebSocketClientEventTarget(
  socket: WebSocketLike,
  options: WebSocketClientOptions = {},
): WebSocketClientEventTarget {
  const listeners = new TopicListeners();
  const sender = new FrameSender(socket, options.batch ?? false);
  socket.addEventListener("message", ({ data }) => {
    const envelopes = parseFrame(data);
    if (envelopes === undefined) return options.onInvalid?.(data);
    for (const envelope of envelopes) {
      if (!isReservedType(envelope.type)) listeners.deliver(envelope);
    }
  });
  return {
    get batch(): boolean {
      return sender.batch;
    },
    set batch(batch: boolean) {
      sender.batch = batch;
    },
    addEventListener(topic, listener): void {
      if (listeners.add(topic, listener)) sender.send(JSON.stringify(controlEnvelope(SUBSCRIBE, topic)));
    },
    removeEventListener(topic, listener): void {
      if (listeners.remove(topic, listener)) sender.send(JSON.stringify(controlEnvelope(UNSUBSCRIBE, topic)));
    },
    dispatchEvent(event): boolean {
      sender.send(JSON.stringify(event.detail));
      return true;
    },
  };
}
