/** Redis as an event target, for the processes that share one. @module */
import { type EventEnvelope, isReservedType, toTopic } from "./event_envelope.ts";
import { parseFrame } from "./frames.ts";
import type { RedisPublishClient, RedisSubscribeClient } from "./redis_client_like.ts";
import { TopicListeners } from "./topic_listeners.ts";
import type { TypedEventTarget } from "./typed_event_target.ts";

export type { RedisPublishClient, RedisSubscribeClient } from "./redis_client_like.ts";

export interface RedisEventTargetOptions {
  /** What publishes. It may have other uses. */
  readonly publishClient: RedisPublishClient;
  /** What subscribes. For this target alone: such a connection takes no other commands, and two targets would unsubscribe each other. */
  readonly subscribeClient: RedisSubscribeClient;
  /** Stands before the topic in the channel's name. Default: nothing. */
  readonly prefix?: string;
  /** Told about what Redis refused or could not be told; the event or the subscription is lost. Default: nobody is. */
  readonly onError?: (error: unknown) => void;
  /** Told about messages on our channels that are not an envelope of that channel's topic; they are dropped. */
  readonly onInvalid?: (channel: string, message: string) => void;
}

/** What {@linkcode createRedisEventTarget} makes. */
export interface RedisEventTarget extends TypedEventTarget {
  /** Gives up every subscription and lets go of the clients, which stay open. Done twice it does nothing. */
  close(): Promise<void>;
}

/**
 * Publishes what is dispatched on the channel `prefix + topic`, as JSON, and delivers what arrives there to the listeners of
 * the topic. What is dispatched here is heard here too, by way of Redis. At most once: who is not connected does not hear.
 * What arrives after a topic's last listener has gone is dropped.
 *
 * @example
 * ```ts ignore
 * import { Redis } from "ioredis";
 *
 * const redis = new Redis();
 * const eventTarget = createRedisEventTarget({ publishClient: redis, subscribeClient: redis.duplicate() });
 * ```
 */
export function createRedisEventTarget(options: RedisEventTargetOptions): RedisEventTarget {
  const { publishClient, subscribeClient, prefix = "" } = options;
  const listeners = new TopicListeners();
  const topics = new Set<string>();
  // A command that throws at once (a client that was closed) is the same as one that rejects.
  const send = async (command: () => Promise<unknown>): Promise<void> => {
    try {
      await command();
    } catch (error) {
      options.onError?.(error);
    }
  };
  const receive = (channel: string, message: string): void => {
    if (!channel.startsWith(prefix)) return;
    const topic = channel.slice(prefix.length);
    if (!topics.has(topic)) return;
    const envelope = readEnvelope(topic, message);
    if (envelope === undefined) options.onInvalid?.(channel, message);
    else listeners.deliver(envelope);
  };
  subscribeClient.on("message", receive);
  return {
    addEventListener(topic, listener): void {
      if (!listeners.add(topic, listener)) return;
      topics.add(topic);
      void send(() => subscribeClient.subscribe(prefix + topic));
    },
    removeEventListener(topic, listener): void {
      if (!listeners.remove(topic, listener)) return;
      if (topics.delete(topic)) void send(() => subscribeClient.unsubscribe(prefix + topic));
    },
    dispatchEvent(event): boolean {
      const message = JSON.stringify(event.detail);
      void send(() => publishClient.publish(prefix + event.type, message));
      return true;
    },
    async close(): Promise<void> {
      subscribeClient.off("message", receive);
      const left = [...topics];
      topics.clear();
      await Promise.all(left.map((topic) => send(() => subscribeClient.unsubscribe(prefix + topic))));
    },
  };
}

/** One envelope of exactly this topic, or undefined: others could be passed off on a channel that only some may write to. */
function readEnvelope(topic: string, message: string): EventEnvelope | undefined {
  const [envelope, ...others] = parseFrame(message) ?? [];
  if (envelope === undefined || others.length > 0) return undefined;
  return toTopic(envelope.type, envelope.id) === topic && !isReservedType(envelope.type) ? envelope : undefined;
}
