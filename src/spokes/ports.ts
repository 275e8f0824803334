/** What the spoke room needs from the world, and what it gives. */
import type { CallError, Identity, LogLevel, OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Caller } from "../../engine/events.ts";
import type { DispatchedCall } from "../../engine/ports.ts";

/** The part of the standard WebSocket that is used, on Deno, Node, Bun and in tests. Text messages only. */
export interface SpokeSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/** Who opened the socket, found by the bearer key at the upgrade. */
export interface SpokePrincipal extends Caller {
  /** Absent: its calls are not counted. */
  readonly limits?: { readonly requests?: number; readonly starts?: number };
  readonly identity: Identity;
  readonly orgId: string;
  readonly keyId: string;
  /** Where the socket comes from; null: not known. */
  readonly address: string | null;
}

/** What is kept of a spoke, so that a hub that starts again knows whom to wait for. Times are ms since the epoch. */
export interface SpokeRecord {
  readonly id: string;
  readonly orgId: string;
  /** Identity id of the key that registered it: only the same one may resume it. */
  readonly identityId: string;
  readonly name: string;
  readonly spokeType: string;
  readonly version: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostInfo: Readonly<Record<string, unknown>> | null;
  readonly maxConcurrency: number;
  /** SHA-256 in hex of the secret by which the spoke comes back as itself; the secret is nowhere but with it and its socket. */
  readonly resumeTokenHash: string;
  readonly operations: readonly OperationSpec[];
  readonly connectedAt: number;
}

/** Where spokes are kept. Only `connected` is waited for: a spoke hears that it is registered when its record is stored. */
export interface SpokeStore {
  /** Spokes of this hub that were connected when it last stopped. */
  load(params: { readonly hubId: string }): Promise<readonly SpokeRecord[]>;
  connected(params: { readonly hubId: string; readonly record: SpokeRecord }): Promise<void>;
  /** Its operations are no longer offered. */
  disconnected(params: { readonly spokeId: string; readonly at: number; readonly reason: string }): Promise<void>;
  heartbeats(params: { readonly spokeIds: readonly string[]; readonly at: number }): Promise<void>;
}

/** Where calls that come in on a socket go. Fulfilled by the dispatcher. */
export interface HubCalls {
  /** Before each call of a peer whose key has limits; a throw refuses the call. */
  admit?(principal: SpokePrincipal): Promise<unknown>;
  /** Told of each call of a peer that was refused for want of a scope. */
  refused?(refusal: { readonly principal: SpokePrincipal; readonly operationId: string; readonly code: string }): void;
  spec(caller: Caller, operationId: string): OperationSpec | undefined;
  /** @throws {CallError} */
  call(params: HubCall): Promise<ResponseEnvelope>;
  /** @throws {CallError} at the first step */
  stream(params: HubCall & { readonly signal: AbortSignal }): AsyncIterable<ResponseEnvelope>;
}

export interface HubCall {
  readonly caller: Caller;
  readonly operationId: string;
  readonly input: unknown;
  readonly signal?: AbortSignal;
}

/** Live events of one run, for clients on a socket. Ends after the terminal event. @throws {CallError} RUN_NOT_FOUND */
export interface RunEventsPort {
  watch(
    params: { readonly caller: Caller; readonly runId: string; readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<unknown>;
}

/** Told what a spoke says about a call while it works. Must not throw. */
export interface CallObserver {
  progress?(call: DispatchedCall, value: unknown): void;
  log?(call: DispatchedCall, level: LogLevel, message: string, data: unknown): void;
}

/** The part of a structured logger that is used. */
export interface SpokeLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}

/**
 * `connected` takes calls; `draining` finishes what it has; `disconnected` may come back within the grace period and keeps
 * its calls until then.
 */
export type SpokeStatus = "registering" | "connected" | "draining" | "disconnected" | "gone";

/** A spoke as people and the API see it. Times are ms since the epoch. */
export interface SpokeView {
  readonly id: string;
  readonly name: string;
  readonly spokeType: string;
  readonly version: string | null;
  readonly status: SpokeStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostInfo: Readonly<Record<string, unknown>> | null;
  /** Ids, in order of registration. */
  readonly operations: readonly string[];
  readonly maxConcurrency: number;
  readonly inFlight: number;
  /** What the spoke last said of itself, 0 to 1; null before its first heartbeat. */
  readonly load: number | null;
  readonly connectedAt: number;
  readonly lastSeenAt: number;
}

/** Where a remote call is: for `why`. */
export interface CallPlace {
  /** Null while it is queued. */
  readonly spokeId: string | null;
  readonly spokeName: string | null;
  readonly state: "queued" | "running" | "reconnecting";
}

export type SpokeFilter = (orgId: string, spoke: { readonly id: string; readonly name: string }) => boolean;

export type CallLabels = Readonly<Record<string, string>> | null;

/** One version of an operation, with the labels of each spoke that is here and offers it. */
export interface Offered {
  readonly spec: OperationSpec;
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** Spokes of all organizations, and the calls they work on. */
export interface RunnerPool {
  /** Makes spokes known that were connected when the hub last stopped: their calls wait for them for the grace period. */
  restore(): Promise<void>;
  /** Serves a socket until it closes. */
  accept(socket: SpokeSocket, principal: SpokePrincipal): void;
  /** The caller's access to `spec` has been checked. Rejects with a {@linkcode CallError}. Settles at most once. */
  call(call: DispatchedCall, spec: OperationSpec): Promise<ResponseEnvelope>;
  /** A subscription. A spoke lost in the middle ends it with `SPOKE_LOST`: no chunk is lost unseen or given twice. */
  stream(call: DispatchedCall, spec: OperationSpec): AsyncIterable<ResponseEnvelope>;
  /**
   * By an id that may name a version (`image.resize@1.2.0`): the spec of that version, or of the highest, among spokes with these
   * labels (absent or null: any). Where no spoke has the labels, of what any spoke offers.
   */
  spec(orgId: string, reference: string, labels?: CallLabels): OperationSpec | undefined;
  /** Versions of an operation on offer, the highest first. */
  versions(orgId: string, operationId: string): readonly string[];
  /** Of each operation the version that is served. */
  specs(orgId: string): readonly OperationSpec[];
  /** Every version of every operation that a spoke which is here offers. */
  offered(orgId: string): readonly Offered[];
  list(orgId: string): readonly SpokeView[];
  get(orgId: string, spokeId: string): SpokeView | null;
  /** Asks the spoke to finish and leave; gives it no new calls. False: no such spoke. */
  drain(orgId: string, spokeId: string): boolean;
  /** Gives no new calls to spokes of which this is true, from now on and until it is called again. */
  holdWhere(isHeld: SpokeFilter): void;
  /** Organizations whose spokes offer something here. */
  organizations(): readonly string[];
  /**
   * Whether a spoke with these labels (null: any) could take a call of an operation, or of one version of it: `here` now or once it
   * has a slot, `away` when all that could are disconnected. Null: none.
   */
  offers(orgId: string, reference: string, labels: CallLabels): "here" | "away" | null;
  /** Null: not a call that this pool has. */
  place(requestId: string): CallPlace | null;
  /** Sends all calls under way again: what `mayCall` held back goes out, what a spoke has it knows by the request id. */
  resend(): void;
  /** Closes every socket opened with this key. */
  revoke(keyId: string): void;
  stats(): PoolStats;
  /** Closes all sockets; what is in flight is left for the next start. */
  close(): void;
}

export interface PoolStats {
  readonly sockets: number;
  readonly spokes: number;
  readonly inFlight: number;
  readonly queued: number;
}

/** Ends a remote call, once. */
export interface CallSink {
  /** `chars`: about how long it was on the wire. */
  respond(output: ResponseEnvelope, chars?: number): void;
  complete(): void;
  fail(error: CallError): void;
}
