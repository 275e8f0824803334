/** What hubs that share one database need of each other. */

/** `away`: nothing goes out and nothing comes in; it comes back by itself. */
export type BusState = "connected" | "away" | "closed";

/**
 * Messages between the hubs of one deployment, as JSON. At most once: what is sent while the bus is away, or to a hub that does
 * not listen, is lost, and whoever needs more asks again. Everything durable is in the database.
 */
export interface HubBus {
  readonly hubId: string;
  state(): BusState;
  /** Told of every change. Returns its cancellation. */
  onState(listener: (state: BusState) => void): () => void;
  /** To every other hub that listens. Never throws. */
  publish(topic: string, message: unknown): void;
  /** To one hub, which may be this one. False: it was not given to anyone. */
  send(hubId: string, topic: string, message: unknown): Promise<boolean>;
  /** Messages of `topic`, whether published or sent to this hub, in the order of each sender. Returns its cancellation. */
  subscribe(topic: string, listener: (message: unknown, from: string) => void): () => void;
  /**
   * Asks one hub and gives its answer.
   *
   * @throws {CallError} the one with which that hub's handler rejected
   * @throws {PeerUnreachableError} whether it was carried out is not known then, unless `reason` is `away` or `absent`
   */
  request(params: PeerRequest): Promise<unknown>;
  /** Answers requests for `method`. One handler a method. Returns its cancellation. */
  serve(method: string, handler: (params: unknown, from: string) => Promise<unknown>): () => void;
  /** Idempotent. Requests under way reject. */
  close(): Promise<void>;
}

export interface PeerRequest {
  readonly hubId: string;
  readonly method: string;
  readonly params: unknown;
  readonly timeoutMs: number;
}

/** `away`: the bus is; `absent`: no such hub listens; `timeout`: no answer in time; `overloaded`: too much is under way. */
export type Unreachable = "away" | "absent" | "timeout" | "overloaded";

/** A hub cannot be asked now. Never crosses the wire. */
export class PeerUnreachableError extends Error {
  readonly hubId: string;
  readonly reason: Unreachable;

  constructor(hubId: string, reason: Unreachable) {
    super(`Hub "${hubId}" cannot be reached: ${EXPLAINED[reason]}`);
    this.name = "PeerUnreachableError";
    this.hubId = hubId;
    this.reason = reason;
  }
}

const EXPLAINED: Readonly<Record<Unreachable, string>> = {
  away: "the bus between hubs is away",
  absent: "it does not listen",
  timeout: "it did not answer in time",
  overloaded: "too many messages are under way",
};

/** How texts get from hub to hub. `channel` is `all` or a hub's id. */
export interface BusTransport {
  state(): BusState;
  onState(listener: (state: BusState) => void): () => void;
  onText(listener: (text: string) => void): void;
  /** Gives the number of receivers. @throws when it could not be handed over */
  send(channel: string, text: string): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The channel of every hub. */
export const ALL_HUBS = "all";

/** The part of a structured logger that is used. */
export interface PeerLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}
