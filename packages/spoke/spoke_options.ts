import type { AccessControl, AnyHandler, ErrorDefinition, OperationType } from "@alkdev/operations";

/** The part of a standard WebSocket that is used. */
export interface SocketLike {
  /** Bytes that have not left yet; absent: not known. */
  readonly bufferedAmount?: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

/** The standard `WebSocket`, or what stands for it: on Node 20 the one of the package `ws`. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** An operation that this spoke offers, and what carries it out. Schemas are TypeBox or plain JSON Schema. */
export interface SpokeOperation {
  readonly namespace: string;
  readonly name: string;
  /** Semantic version; default `1.0.0`. Another schema needs another version. */
  readonly version?: string;
  /** Default `mutation`. */
  readonly type?: OperationType;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Default: anything. */
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly errorSchemas?: readonly ErrorDefinition[];
  /** Default: everyone in the organization. */
  readonly accessControl?: AccessControl;
  /** Calls of this operation at once; default: as many as the spoke takes in all. The hub keeps to it. */
  readonly maxConcurrency?: number;
  readonly _meta?: Readonly<Record<string, unknown>>;
  /** A subscription's must be an `async function*`. */
  readonly handler: AnyHandler;
}

/** `connecting` also between two attempts. */
export type SpokeState = "connecting" | "connected" | "draining" | "closed";

/** Time, for tests. */
export interface SpokeClock {
  /** Ms since the epoch. */
  now(): number;
  /** Runs `callback` once after `ms`; returns its cancellation. */
  after(ms: number, callback: () => void): () => void;
  /** Runs `callback` when what was received in this turn has been handled. */
  afterTurn(callback: () => void): void;
}

export interface SpokeOptions {
  /**
   * Of the hub (`http://127.0.0.1:8787`) or of its socket (`ws://127.0.0.1:8787/ws`). Of several hubs of one database, one is
   * connected to: when it cannot be reached, the next.
   */
  readonly url: string | readonly string[];
  /** API key; it needs the scope `spoke:connect` to offer operations. */
  readonly key: string;
  readonly name: string;
  /** Kind of spoke: `dev-env`, `client`, `compute`, or your own; default `custom`. */
  readonly spokeType?: string;
  /** Of the program; shown to people. */
  readonly version?: string;
  /** None: a plain client, that only calls the hub. */
  readonly operations: readonly SpokeOperation[];
  /** Calls at once; default 16. The hub keeps to it. */
  readonly maxConcurrency?: number;
  /** What calls can be pinned to. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostInfo?: Readonly<Record<string, unknown>>;
  /** Default: the global one. */
  readonly WebSocket?: SocketConstructor;
  /** Told of every change. `error` is what ended the last connection. */
  readonly onState?: (state: SpokeState, error?: Error) => void;
  /** Default: the system's. */
  readonly clock?: SpokeClock;
  /** Uniform in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  /** Longest wait between two attempts to connect, in ms; default 10,000. */
  readonly maxBackoffMs?: number;
}
