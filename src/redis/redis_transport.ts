/**
 * Hub messages over Redis publish/subscribe: two connections, two channels a hub (`…:all` and its own). Losing Redis is a state,
 * never an error: it connects again for as long as it is not closed.
 */
import { Redis } from "ioredis";
import { ALL_HUBS, type BusState, type BusTransport, type PeerLog } from "../peers/mod.ts";

export interface RedisTransportOptions {
  /** `redis://…` or `rediss://…` */
  readonly url: string;
  readonly hubId: string;
  /** Keeps deployments that share one Redis apart: its publish/subscribe knows no databases. */
  readonly deployment: string;
  readonly log?: PeerLog;
}

/** What may be on its way to Redis. */
const MAX_PENDING = 20_000;
const MAX_PENDING_CHARS = 64 * 1024 * 1024;
const MAX_BACKOFF_MS = 1_000;
/** A message to ourselves tells that the whole way works; silence for three of them means that it does not. */
const BEAT_MS = 1_500;
const MISSED_BEATS = 3;

export class RedisTransport implements BusTransport {
  readonly #log: PeerLog | undefined;
  readonly #prefix: string;
  readonly #hubId: string;
  readonly #all: string;
  /** How a message of this hub begins. */
  readonly #own: string;
  readonly #out: Redis;
  readonly #in: Redis;
  readonly #onState = new Set<(state: BusState) => void>();
  readonly #beat: ReturnType<typeof setInterval>;
  #onText: (text: string) => void = () => {};
  #state: BusState = "away";
  #subscribed = false;
  #pending = 0;
  #pendingChars = 0;
  #heardAt = 0;

  constructor({ url, hubId, deployment, log }: RedisTransportOptions) {
    this.#log = log;
    this.#hubId = hubId;
    this.#prefix = `hub:${deployment}:`;
    this.#all = this.#prefix + ALL_HUBS;
    this.#own = `{"f":${JSON.stringify(hubId)},`;
    this.#out = connect(url, { enableAutoPipelining: true });
    this.#in = connect(url, { autoResubscribe: false });
    for (const client of [this.#out, this.#in]) {
      client.on("error", (error: Error) => this.#log?.debug("Redis: {error}", { error: error.message }));
      client.on("close", () => this.#look());
    }
    this.#out.on("ready", () => this.#look());
    this.#in.on("ready", () => this.#subscribe());
    this.#in.on("close", () => this.#subscribed = false);
    this.#in.on("message", (channel: string, text: string) => this.#received(channel, text));
    this.#beat = setInterval(() => this.#checkBeat(), BEAT_MS);
  }

  state(): BusState {
    return this.#state;
  }

  onState(listener: (state: BusState) => void): () => void {
    this.#onState.add(listener);
    return () => void this.#onState.delete(listener);
  }

  onText(listener: (text: string) => void): void {
    this.#onText = listener;
  }

  async send(channel: string, text: string): Promise<number> {
    if (this.#state !== "connected") throw new Error(`Redis is ${this.#state}`);
    if (this.#pending >= MAX_PENDING || this.#pendingChars + text.length > MAX_PENDING_CHARS) {
      throw new Error(`Redis is slow: ${this.#pending} messages are under way`);
    }
    this.#pending++;
    this.#pendingChars += text.length;
    try {
      const receivers = await this.#out.publish(this.#prefix + channel, text);
      // Our own subscription to `all` is one of them.
      return channel === ALL_HUBS ? receivers - 1 : receivers;
    } finally {
      this.#pending--;
      this.#pendingChars -= text.length;
    }
  }

  close(): Promise<void> {
    if (this.#state === "closed") return Promise.resolve();
    clearInterval(this.#beat);
    this.#change("closed");
    // What was given to the socket before is still sent.
    this.#out.quit().catch(() => {}).finally(() => this.#out.disconnect());
    this.#in.disconnect();
    return Promise.resolve();
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#in.subscribe(this.#all, this.#prefix + this.#hubId);
      this.#subscribed = true;
      this.#heardAt = Date.now();
      this.#look();
    } catch (error) {
      this.#log?.debug("Redis: {error}", { error: String(error) });
      if (this.#state !== "closed" && this.#in.status === "ready") this.#in.disconnect(true);
    }
  }

  #received(channel: string, text: string): void {
    this.#heardAt = Date.now();
    // An empty text is a beat; `all` also brings what this hub published itself.
    if (text === "" || (channel === this.#all && text.startsWith(this.#own))) return;
    this.#onText(text);
  }

  #checkBeat(): void {
    if (this.#state !== "connected") return;
    if (Date.now() - this.#heardAt > MISSED_BEATS * BEAT_MS) {
      this.#log?.warn("Redis has fallen silent: connecting again");
      this.#out.disconnect(true);
      this.#in.disconnect(true);
      return;
    }
    this.#out.publish(this.#prefix + this.#hubId, "").catch(() => {});
  }

  #look(): void {
    if (this.#state === "closed") return;
    const isUp = this.#out.status === "ready" && this.#in.status === "ready" && this.#subscribed;
    this.#change(isUp ? "connected" : "away");
  }

  #change(state: BusState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#onState]) listener(state);
  }
}

function connect(
  url: string,
  options: { readonly enableAutoPipelining?: boolean; readonly autoResubscribe?: boolean },
): Redis {
  return new Redis(url, {
    ...options,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    keepAlive: 10_000,
    retryStrategy: (attempt) => Math.min(MAX_BACKOFF_MS, 25 * 2 ** Math.min(attempt, 10)),
  });
}
