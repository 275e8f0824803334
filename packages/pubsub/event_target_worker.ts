/** A worker as an event target: the same at both ends. @module */
import { isEventEnvelope, isReservedType } from "./event_envelope.ts";
import type { MessagePortLike } from "./message_port_like.ts";
import { TopicListeners } from "./topic_listeners.ts";
import type { TypedEventTarget } from "./typed_event_target.ts";

export type { MessagePortLike, NodePortLike, WebPortLike } from "./message_port_like.ts";

export interface WorkerEventTargetOptions {
  /** Told about messages that are no envelopes; the adapter passes over them, and they may be of another use. */
  readonly onInvalid?: (message: unknown) => void;
}

/**
 * The host's end: posts what is dispatched to the worker, and delivers what the worker posts to the listeners of its topic.
 * What is dispatched here is not heard here. Envelopes travel as structured clones, not as JSON; dispatching throws a
 * `DataCloneError` for a payload that cannot be cloned.
 *
 * @param worker a web `Worker`, a `MessagePort`, or a `Worker` of `node:worker_threads`
 */
export function createWorkerHostEventTarget(
  worker: MessagePortLike,
  options: WorkerEventTargetOptions = {},
): TypedEventTarget {
  return createPortEventTarget(worker, options);
}

/**
 * The worker's end: as {@linkcode createWorkerHostEventTarget}, from inside. Make it before the first `await`, or messages
 * that arrive until then are lost.
 *
 * @param scope what leads to the host. Default: the global scope of a web worker; in Node pass `parentPort`
 * @throws {TypeError} without a scope, when the global one is not that of a worker
 */
export function createWorkerThreadEventTarget(
  scope: MessagePortLike = globalPort(),
  options: WorkerEventTargetOptions = {},
): TypedEventTarget {
  return createPortEventTarget(scope, options);
}

function createPortEventTarget(port: MessagePortLike, options: WorkerEventTargetOptions): TypedEventTarget {
  const listeners = new TopicListeners();
  const receive = (message: unknown): void => {
    if (!isEventEnvelope(message)) options.onInvalid?.(message);
    else if (!isReservedType(message.type)) listeners.deliver(message);
  };
  if ("addEventListener" in port) {
    port.addEventListener("message", ({ data }) => receive(data));
    port.start?.();
  } else {
    port.on("message", receive);
  }
  return {
    addEventListener: (topic, listener): void => void listeners.add(topic, listener),
    removeEventListener: (topic, listener): void => void listeners.remove(topic, listener),
    dispatchEvent(event): boolean {
      port.postMessage(event.detail);
      return true;
    },
  };
}

function globalPort(): MessagePortLike {
  const scope: object = globalThis;
  if (isPort(scope)) return scope;
  throw new TypeError(
    "Cannot reach the host as this is not the global scope of a worker: pass the port that leads there",
  );
}

function isPort(scope: object): scope is MessagePortLike {
  // A window has postMessage too, but it posts to itself.
  return "postMessage" in scope && typeof scope.postMessage === "function" && !("window" in scope) &&
    "addEventListener" in scope;
}
