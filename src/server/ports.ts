/** What the HTTP edge needs beside the run use cases. */
import type { OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Auth, KeyAdmin, Principal } from "../auth/mod.ts";
import type { Caller, PreparedPlan, RunGraph, Runs, Versions, WorkflowCatalog } from "../runs/mod.ts";
import type { Estimator } from "../sight/mod.ts";
import type { OAuthEdge } from "./routes/oauth.ts";
import type { Gate } from "./gate.ts";
import type { WatchKey } from "./until_revoked.ts";
import type { AccessSink } from "./access_log.ts";
import type { HttpSettings } from "./http_settings.ts";

/** Operations as one caller may see and call them. Errors are `CallError`s. */
export interface OperationsPort {
  list(caller: Caller): readonly OperationSpec[];
  spec(caller: Caller, operationId: string): OperationSpec | undefined;
  /** All that are on offer of the operation, the highest first. */
  versions(caller: Caller, operationId: string): readonly string[];
  call(request: OperationCall): Promise<ResponseEnvelope>;
  /** Errors at the first step, and later ones. Ends early when the signal aborts. */
  stream(request: OperationCall): AsyncIterable<ResponseEnvelope>;
}

export interface OperationCall {
  readonly caller: Caller;
  readonly operationId: string;
  readonly input: unknown;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** Spokes of the caller's organization. Unknown: null on `get`, `CallError` code `SPOKE_NOT_FOUND` on `drain`. */
export interface SpokesPort {
  list(caller: Caller): Promise<readonly SpokeView[]>;
  get(caller: Caller, id: string): Promise<SpokeView | null>;
  /** Gives it no new calls; those under way go on. */
  drain(caller: Caller, id: string): Promise<SpokeView>;
}

/** A spoke. Times are ms since the epoch. */
export interface SpokeView {
  readonly id: string;
  readonly name: string;
  readonly spokeType: string;
  readonly status: "connected" | "draining" | "disconnected";
  readonly version: string | null;
  /** Ids of the operations it offers. */
  readonly operations: readonly string[];
  readonly inFlight: number;
  readonly maxConcurrency: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostInfo: Readonly<Record<string, unknown>> | null;
  readonly connectedAt: number;
  readonly lastHeartbeat: number | null;
  readonly disconnectedAt: number | null;
}

/** How far the start-up is. `step` names the one under way, `ready` when all are done. */
export interface Readiness {
  readonly ready: boolean;
  readonly step: string;
}

/** What a request may ask for. */
export interface ServerLimits {
  /** Of a whole body; larger is 413. */
  readonly bodyBytes: number;
  /** Of a run's or a call's input, as JSON; larger is 413. */
  readonly inputBytes: number;
  /** Nesting of JSON; deeper is 400. */
  readonly jsonDepth: number;
  /** How long a body may take to come in; longer is 408. */
  readonly bodySeconds: number;
  /** Longest `Prefer: wait`; longer is cut to it. */
  readonly maxWaitSeconds: number;
}

/** Plans and runs as graphs, and graphs as text. */
export interface GraphsPort {
  /** What a plan is made of, as it is shown, and who waits for whom. Keys, not indices. */
  plan(plan: PreparedPlan["plan"]): { readonly nodes: readonly object[]; readonly edges: readonly object[] };
  mermaid(graph: RunGraph): string;
  dot(graph: RunGraph): string;
  svg(graph: RunGraph): string;
}

/** The part of a structured logger that is used. */
export interface ServerLog {
  error(message: string, properties: Record<string, unknown>): void;
}

/** Everything the edge is made of. */
export interface ServerDeps {
  readonly auth: Auth;
  readonly runs: Runs;
  readonly workflows: WorkflowCatalog;
  readonly versions: Versions;
  readonly operations: OperationsPort;
  readonly spokes: SpokesPort;
  readonly keys: KeyAdmin;
  readonly graphs: GraphsPort;
  /** Takes over an authenticated socket, which may not be open yet. `request`: what opened it. */
  acceptSocket(socket: WebSocket, principal: Principal, request: Request): void;
  /** Absent: nobody's access tokens are taken. */
  readonly oauth?: OAuthEdge;
  /** Absent: nothing is counted and no refusal written down. */
  readonly gate?: Gate;
  /** Absent: event streams outlive their key. */
  readonly watchKey?: WatchKey;
  readiness(): Readiness;
  /** Absent: dry-runs estimate nothing. */
  readonly estimator?: Estimator;
  /** Told of every request that has been answered: `ms` until its head was made. */
  onAnswered?(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly ms: number;
  }): void;
  /** What is other than {@linkcode DEFAULT_HTTP}. */
  readonly http?: Partial<HttpSettings>;
  /** Writes a line of the access log, after its request; absent: there is none, whatever `http` says. */
  readonly onAccess?: AccessSink;
  /** Told when a stream of events begins, and when it is over. */
  readonly onStream?: (isOpen: boolean) => void;
  /** Whose keys may see what is of the whole hub. */
  readonly hubOrgId: string;
  /** Prometheus text; absent: 404. */
  metrics?(): Promise<string>;
  readonly version: string;
  readonly limits: ServerLimits;
  readonly log: ServerLog;
  /** Aborts when the hub stops: event streams end then, as they would otherwise keep the server open. */
  readonly closing?: AbortSignal;
}
