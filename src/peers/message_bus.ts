import { CallError } from "@alkdev/operations";
import {
  ALL_HUBS,
  type BusState,
  type BusTransport,
  type HubBus,
  type PeerLog,
  type PeerRequest,
  PeerUnreachableError,
} from "./ports.ts";

/** Requests of this hub that may wait for their answers. */
const MAX_REQUESTS = 10_000;

/** One message on the wire: short names, as there are many. */
type Message =
  | { readonly f: string; readonly t: string; readonly m: unknown }
  | { readonly f: string; readonly q: string; readonly t: string; readonly m: unknown }
  | { readonly f: string; readonly r: string; readonly m: unknown }
  | { readonly f: string; readonly r: string; readonly e: WireError };

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The bus over any transport. */
export function createMessageBus(
  options: { readonly hubId: string; readonly transport: BusTransport; readonly log?: PeerLog },
): HubBus {
  return new MessageBus(options.hubId, options.transport, options.log);
}

class MessageBus implements HubBus {
  readonly hubId: string;
  readonly #transport: BusTransport;
  readonly #listeners = new Map<string, Set<(message: unknown, from: string) => void>>();
  readonly #handlers = new Map<string, (params: unknown, from: string) => Promise<unknown>>();
  readonly #waiting = new Map<string, Waiting>();

  readonly #log: PeerLog | undefined;

  constructor(hubId: string, transport: BusTransport, log: PeerLog | undefined) {
    this.#log = log;
    this.hubId = hubId;
    this.#transport = transport;
    transport.onText((text) => this.#receive(text));
  }

  state(): BusState {
    return this.#transport.state();
  }

  onState(listener: (state: BusState) => void): () => void {
    return this.#transport.onState(listener);
  }

  publish(topic: string, message: unknown): void {
    this.#transport.send(ALL_HUBS, this.#encode({ f: this.hubId, t: topic, m: message })).catch(() => {});
  }

  async send(hubId: string, topic: string, message: unknown): Promise<boolean> {
    try {
      return await this.#transport.send(hubId, this.#encode({ f: this.hubId, t: topic, m: message })) > 0;
    } catch {
      return false;
    }
  }

  subscribe(topic: string, listener: (message: unknown, from: string) => void): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, set.add(listener));
    return () => void set.delete(listener);
  }

  request({ hubId, method, params, timeoutMs }: PeerRequest): Promise<unknown> {
    if (this.state() !== "connected") return Promise.reject(new PeerUnreachableError(hubId, "away"));
    if (this.#waiting.size >= MAX_REQUESTS) return Promise.reject(new PeerUnreachableError(hubId, "overloaded"));
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => this.#take(id)?.reject(error);
      const timer = setTimeout(() => fail(new PeerUnreachableError(hubId, "timeout")), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#transport.send(hubId, this.#encode({ f: this.hubId, q: id, t: method, m: params })).then(
        (receivers) => receivers === 0 && fail(new PeerUnreachableError(hubId, "absent")),
        () => fail(new PeerUnreachableError(hubId, "away")),
      );
    });
  }

  serve(method: string, handler: (params: unknown, from: string) => Promise<unknown>): () => void {
    if (this.#handlers.has(method)) throw new Error(`Method "${method}" has a handler already`);
    this.#handlers.set(method, handler);
    return () => void this.#handlers.delete(method);
  }

  async close(): Promise<void> {
    await this.#transport.close();
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new PeerUnreachableError(this.hubId, "away"));
  }

  /** A value that is undefined has no JSON: null stands for it. */
  #encode(message: Message): string {
    return JSON.stringify(message, (key, value: unknown) => (key === "m" && value === undefined ? null : value));
  }

  #receive(text: string): void {
    const message = decode(text);
    if (message === null) return;
    const { f: from } = message;
    if ("r" in message) {
      const waiting = this.#take(message.r);
      if (waiting === null) return;
      if ("e" in message) {
        waiting.reject(new CallError(message.e.code, message.e.message, message.e.details));
      } else waiting.resolve(message.m);
    } else if ("q" in message) {
      void this.#answer(message.q, { method: message.t, params: message.m, from });
    } else for (const listener of [...this.#listeners.get(message.t) ?? []]) this.#tell(listener, message);
  }

  /** A message that makes no sense here, of another version of the hub, must not end this one. */
  #tell(listener: (message: unknown, from: string) => void, message: Extract<Message, { readonly t: string }>): void {
    try {
      listener(message.m, message.f);
    } catch (error) {
      this.#log?.warn("Message {topic} of hub {from} failed: {error}", { topic: message.t, from: message.f, error });
    }
  }

  async #answer(
    id: string,
    { method, params, from }: { readonly method: string; readonly params: unknown; readonly from: string },
  ): Promise<void> {
    let answer: Message;
    try {
      const handler = this.#handlers.get(method);
      if (handler === undefined) throw new CallError("OPERATION_NOT_FOUND", `This hub has no method "${method}"`);
      answer = { f: this.hubId, r: id, m: await handler(params, from) };
    } catch (error) {
      answer = { f: this.hubId, r: id, e: toWireError(error) };
    }
    await this.#transport.send(from, this.#encode(answer)).catch(() => {});
  }

  #take(id: string): Waiting | null {
    const waiting = this.#waiting.get(id) ?? null;
    if (waiting === null) return null;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}

/** A surprise says that there was one, never what it was. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof CallError)) {
    return { code: "EXECUTION_ERROR", message: "The other hub could not carry this out" };
  }
  const { code, message, details } = error;
  return { code, message, ...(details === undefined ? {} : { details }) };
}

/** Null: not a message of a hub. */
function decode(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof value === "object" && value !== null && "f" in value && typeof value.f === "string" &&
      ("t" in value || "r" in value);
    return isMessage ? value as Message : null; // only hubs write here, and they write what they read
  } catch {
    return null;
  }
}
