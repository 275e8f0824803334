import { operationId, type OperationSpec } from "@alkdev/operations";
import type { Envelope } from "./envelope.ts";
import type { SpokeRecord, SpokeStatus, SpokeView } from "./ports.ts";
import { RecentIds } from "./recent_ids.ts";
import type { RemoteCall } from "./remote_call.ts";

/** A spoke's way out: its socket. */
export interface SpokeLink {
  /** @throws {CallError} `PAYLOAD_TOO_LARGE` */
  write(message: Envelope): void;
  /**
   * An envelope of this type that is JSON already.
   *
   * @throws {CallError} `PAYLOAD_TOO_LARGE`
   */
  writeText(text: string, type: string): void;
  close(code: number, reason: string): void;
}

/** Calls that ended without the spoke's outcome, whose late outcomes are no mistake. */
const MAX_ENDED = 10_000;
/** Aborts kept for a spoke that is away; further ones are forgotten: it then answers for nothing. */
const MAX_MISSED_ABORTS = 10_000;

/** Of an operation's `_meta`: calls of it that this spoke takes at once. */
export const OPERATION_LIMIT = "maxConcurrency";

/** One remote executor. It outlives its sockets by the grace period. Only the router changes its state. */
export class Spoke {
  record: SpokeRecord;
  operations: ReadonlyMap<string, OperationSpec>;
  status: SpokeStatus = "registering";
  /** Null while it is away. */
  link: SpokeLink | null = null;
  /** Calls sent to it and not settled. Never more than its `maxConcurrency`, except after it lowered that. */
  readonly inFlight: Map<string, RemoteCall> = new Map();
  /** Of operations that have a limit of their own at this spoke: that, and how many calls of them are under way. */
  #limits: ReadonlyMap<string, number>;
  readonly #limited = new Map<string, number>();
  readonly ended: RecentIds = new RecentIds(MAX_ENDED);
  #missedAborts: string[] = [];
  load: number | null = null;
  lastSeenAt: number;
  /** Of the last call given to it: among equally loaded ones the longest idle is next. */
  lastAssigned = 0;
  /** A person holds it: it is given no new calls. */
  isHeld = false;
  cancelGrace: () => void = () => {};

  constructor(record: SpokeRecord, now: number) {
    this.record = record;
    this.operations = byId(record.operations);
    this.#limits = limitsOf(this.operations);
    this.lastSeenAt = now;
  }

  get id(): string {
    return this.record.id;
  }

  /** Can be given one more call now. */
  get hasSlot(): boolean {
    return this.status === "connected" && !this.isHeld && this.inFlight.size < this.record.maxConcurrency;
  }

  /** Can be given one more call of this operation now. */
  hasSlotFor(id: string): boolean {
    if (!this.hasSlot) return false;
    if (this.#limits.size === 0) return true;
    const limit = this.#limits.get(id);
    return limit === undefined || (this.#limited.get(id) ?? 0) < limit;
  }

  give(remote: RemoteCall): void {
    this.inFlight.set(remote.call.requestId, remote);
    this.#count(remote, 1);
  }

  take(remote: RemoteCall): void {
    if (this.inFlight.delete(remote.call.requestId)) this.#count(remote, -1);
  }

  #count({ operation: { id } }: RemoteCall, change: number): void {
    if (this.#limits.size === 0 && this.#limited.size === 0) return;
    if (!this.#limits.has(id) && !this.#limited.has(id)) return;
    const count = (this.#limited.get(id) ?? 0) + change;
    if (count > 0) this.#limited.set(id, count);
    else this.#limited.delete(id);
  }

  update(record: SpokeRecord): void {
    this.record = record;
    this.operations = byId(record.operations);
    this.#limits = limitsOf(this.operations);
    this.#limited.clear();
    for (const remote of this.inFlight.values()) this.#count(remote, 1);
  }

  carries(labels: Readonly<Record<string, string>> | null): boolean {
    if (labels === null) return true;
    for (const key of Object.keys(labels)) {
      if (this.record.labels[key] !== labels[key]) return false;
    }
    return true;
  }

  missAbort(requestId: string): void {
    if (this.#missedAborts.length < MAX_MISSED_ABORTS) this.#missedAborts.push(requestId);
  }

  takeMissedAborts(): readonly string[] {
    const missed = this.#missedAborts;
    this.#missedAborts = [];
    return missed;
  }

  view(): SpokeView {
    const { id, name, spokeType, version, labels, hostInfo, maxConcurrency, connectedAt } = this.record;
    return {
      id,
      name,
      spokeType,
      version,
      status: this.status,
      labels,
      hostInfo,
      operations: [...this.operations.keys()],
      maxConcurrency,
      inFlight: this.inFlight.size,
      load: this.load,
      connectedAt,
      lastSeenAt: this.lastSeenAt,
    };
  }
}

function byId(operations: readonly OperationSpec[]): ReadonlyMap<string, OperationSpec> {
  return new Map(operations.map((spec) => [operationId(spec), spec]));
}

function limitsOf(operations: ReadonlyMap<string, OperationSpec>): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const [id, { _meta }] of operations) {
    const limit = _meta?.[OPERATION_LIMIT];
    if (typeof limit === "number" && limit >= 1) limits.set(id, limit);
  }
  return limits;
}
