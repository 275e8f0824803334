import type { NodeStatus } from "./ports.ts";

/** Why a node is not moving. */
export interface WhyEntry {
  readonly key: string;
  readonly status: NodeStatus;
  /**
   * `predecessors`, `slot` (of its container, or of the hub), `retry`, `call`, `spoke` (one that could take its call), `hub`
   * (its call is at another hub's spoke), `timer`, `signal`, `child` (a child run), `paused`, `owner` (a hub to drive the run),
   * `flow` (a place in a line), `hold` (a person has held its workflow or operation).
   */
  readonly waitsFor: string;
  readonly message: string;
  /** Ms since the epoch; null: it is not known since when. */
  readonly since: number | null;
  readonly until: number | null;
  readonly keys: readonly string[];
  /** Null: not an operation or a child run. */
  readonly operationId: string | null;
  /** Labels that a spoke must carry for it; null: any will do. */
  readonly labels: Readonly<Record<string, string>> | null;
}

/** A call of a live run, as `why` asks after it. */
export interface WaitingCall {
  readonly runId: string;
  readonly orgId: string;
  readonly key: string;
  /** Null: not sent yet. */
  readonly requestId: string | null;
  readonly operationId: string;
  readonly labels: Readonly<Record<string, string>> | null;
}

/** What only one part of the hub knows of a call that is not moving. Null: that part knows nothing of it. */
export type Whereabouts = (
  call: WaitingCall,
) => (Pick<WhyEntry, "waitsFor" | "message"> & { readonly since?: number }) | null;
