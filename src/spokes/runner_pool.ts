import { CallError, hasScopeFor, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { AnswerSink } from "./answer_sink.ts";
import { CallRouter } from "./call_router.ts";
import { ChunkQueue } from "./chunk_queue.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import { envelope } from "./envelope.ts";
import { OfferDirectory } from "./offer_directory.ts";
import type {
  CallLabels,
  CallObserver,
  CallPlace,
  HubCalls,
  Offered,
  PoolStats,
  RunEventsPort,
  RunnerPool,
  SpokeFilter,
  SpokeLog,
  SpokePrincipal,
  SpokeRecord,
  SpokeSocket,
  SpokeStore,
  SpokeView,
} from "./ports.ts";
import { type Registration, reviveOperations } from "./registration.ts";
import { withSignal } from "./remote_call.ts";
import { hashResumeToken } from "./resume_token.ts";
import { Spoke } from "./spoke.ts";

export interface RunnerPoolOptions {
  readonly hubId: string;
  readonly clock: Clock;
  readonly store: SpokeStore;
  /** Calls that come in on sockets. May be a closure over what is built after the pool: it is used with the first socket. */
  readonly calls: HubCalls;
  readonly runEvents?: RunEventsPort;
  readonly observer?: CallObserver;
  readonly log?: SpokeLog;
  /** Default 5,000. A spoke silent for three of these is lost. */
  readonly heartbeatMs?: number;
  /** How long a spoke whose socket closed may be away. Default 10,000. */
  readonly graceMs?: number;
  /** Default 4 MiB. */
  readonly maxFrameBytes?: number;
  /** Calls that may wait for one operation. Default 10,000. */
  readonly maxQueued?: number;
  /** Random ids; default `crypto.randomUUID`. */
  readonly newId?: () => string;
  /** Calls whose spoke is lost fail at once, as whoever made them looks for another provider. Default: they wait here. */
  readonly failsLost?: boolean;
  /** True: calls that are aborted are not given up but left to a later owner, and their spokes go on with them. */
  readonly isLeaving?: () => boolean;
  /** False: nothing is sent to a spoke now; `resend` does it later. */
  readonly mayCall?: () => boolean;
  /** The operations or the spokes of an organization have changed. */
  readonly onChange?: (orgId: string) => void;
}

const DEFAULT_HEARTBEAT_MS = 5_000;
const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_MAX_FRAME_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_QUEUED = 10_000;
const MISSED_HEARTBEATS = 3;

/** The pool of remote executors of one hub. */
export function createRunnerPool(options: RunnerPoolOptions): RunnerPool {
  return new Pool(options);
}

class Pool implements RunnerPool, ConnectionHost {
  readonly clock: Clock;
  readonly maxFrameBytes: number;
  readonly calls: HubCalls;
  readonly runEvents: RunEventsPort | undefined;
  readonly observer: CallObserver;
  readonly log: SpokeLog | undefined;
  readonly router: CallRouter;
  readonly #offers = new OfferDirectory();
  readonly #options: RunnerPoolOptions;
  readonly #heartbeatMs: number;
  readonly #connections = new Set<Connection>();
  readonly #spokes = new Map<string, Spoke>();
  #isHeld: SpokeFilter = () => false;
  #cancelSweep: () => void = () => {};
  #isClosed = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.calls = options.calls;
    this.runEvents = options.runEvents;
    this.observer = options.observer ?? {};
    this.log = options.log;
    this.maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
    this.#heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
    this.router = new CallRouter({
      clock: options.clock,
      graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
      maxQueued: options.maxQueued ?? DEFAULT_MAX_QUEUED,
      failsLost: options.failsLost ?? false,
      mayCall: options.mayCall ?? (() => true),
      isLeaving: options.isLeaving ?? (() => false),
      onGone: (spoke, reason) => this.#gone(spoke, reason),
    }, this.#offers);
    this.#scheduleSweep();
  }

  async restore(): Promise<void> {
    for (const record of await this.#options.store.load({ hubId: this.#options.hubId })) {
      if (this.#spokes.has(record.id)) continue;
      try {
        const spoke = new Spoke({ ...record, operations: reviveOperations(record.operations) }, this.clock.now());
        spoke.isHeld = this.#isHeld(record.orgId, record);
        this.#spokes.set(record.id, spoke);
        this.router.offer(spoke);
        this.router.away(spoke);
      } catch (error) {
        // One record that cannot be read must not keep the hub from starting: that spoke registers anew.
        this.log?.warn("Spoke {name} could not be restored: {error}", { name: record.name, spokeId: record.id, error });
      }
    }
  }

  accept(socket: SpokeSocket, principal: SpokePrincipal): void {
    if (this.#isClosed) return socket.close(1012, "Hub is shutting down");
    this.#connections.add(new Connection(this, socket, principal));
  }

  call(call: DispatchedCall, _spec: OperationSpec): Promise<ResponseEnvelope> {
    return new Promise((resolve, reject) => {
      this.router.submit(call, new AnswerSink(resolve, reject), false);
    });
  }

  stream(call: DispatchedCall, _spec: OperationSpec): AsyncIterable<ResponseEnvelope> {
    const leave = new AbortController();
    const signal = AbortSignal.any([call.signal, leave.signal]);
    const chunks = new ChunkQueue(() => leave.abort());
    this.router.submit(withSignal(call, signal), chunks, true);
    return chunks;
  }

  spec(orgId: string, reference: string, labels: CallLabels = null): OperationSpec | undefined {
    return this.#offers.spec(orgId, reference, labels);
  }

  versions(orgId: string, operationId: string): readonly string[] {
    return this.#offers.versions(orgId, operationId);
  }

  specs(orgId: string): readonly OperationSpec[] {
    return this.#offers.specs(orgId);
  }

  offered(orgId: string): readonly Offered[] {
    return this.#offers.offered(orgId);
  }

  organizations(): readonly string[] {
    return this.#offers.organizations();
  }

  offers(orgId: string, reference: string, labels: CallLabels): "here" | "away" | null {
    return this.#offers.offers(orgId, reference, labels);
  }

  list(orgId: string): readonly SpokeView[] {
    return [...this.#spokes.values()].filter(({ record }) => record.orgId === orgId).map((spoke) => spoke.view());
  }

  get(orgId: string, spokeId: string): SpokeView | null {
    return this.#find(orgId, spokeId)?.view() ?? null;
  }

  drain(orgId: string, spokeId: string): boolean {
    const spoke = this.#find(orgId, spokeId);
    if (spoke === undefined) return false;
    if (spoke.link === null) {
      this.router.lose(spoke, "it was drained while away");
      return true;
    }
    this.router.drain(spoke);
    spoke.link.write(envelope("hub.drain", { spokeId }));
    this.#changed(orgId);
    return true;
  }

  place(requestId: string): CallPlace | null {
    return this.router.place(requestId);
  }

  holdWhere(isHeld: SpokeFilter): void {
    this.#isHeld = isHeld;
    for (const spoke of this.#spokes.values()) this.router.setHeld(spoke, isHeld(spoke.record.orgId, spoke.record));
  }

  resend(): void {
    for (const spoke of this.#spokes.values()) this.router.resend(spoke);
  }

  revoke(keyId: string): void {
    for (const connection of [...this.#connections]) {
      if (connection.principal.keyId !== keyId) continue;
      // Its calls must not wait for somebody who may not come back.
      if (connection.spoke !== null) this.router.drain(connection.spoke);
      connection.close(1008, "Key has been revoked");
    }
  }

  stats(): PoolStats {
    return {
      sockets: this.#connections.size,
      spokes: this.#spokes.size,
      inFlight: this.router.inFlight,
      queued: this.router.queued,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep();
    for (const connection of [...this.#connections]) connection.close(1012, "Hub is shutting down");
    for (const spoke of this.#spokes.values()) spoke.cancelGrace();
  }

  // What connections need

  async register(connection: Connection, registration: Registration, requestId: string): Promise<void> {
    const { identity, orgId } = connection.principal;
    if (!hasScopeFor(identity.scopes, "spoke:connect", registration.name)) {
      throw new CallError(
        "ACCESS_DENIED",
        `Cannot register operations of spoke "${registration.name}" as "${identity.id}": wanted scope "spoke:connect"`,
        {
          requiredScopes: ["spoke:connect"],
        },
      );
    }
    const known = connection.spoke ?? this.#resumable(registration.resume, connection);
    const presented = connection.spoke === null ? registration.resume : connection.resumeToken;
    const resume = (known === null ? null : presented) ?? this.#newId();
    const operations = new Map(registration.operations.map((spec) => [`${spec.namespace}.${spec.name}`, spec]));
    this.#offers.checkConflicts(orgId, operations, known);
    const spoke = this.#admit(connection, registration, known, resume);
    try {
      await this.#options.store.connected({ hubId: this.#options.hubId, record: spoke.record });
    } catch (error) {
      connection.spoke = null;
      if (known === null) this.router.lose(spoke, "it could not be stored");
      else this.router.away(spoke);
      throw error;
    }
    // The socket may have closed, and the spoke come back on another, while it was being stored.
    if (connection.isClosed || connection.spoke !== spoke) return;
    const { hubId } = this.#options;
    connection.respond(requestId, "hub.register", {
      spokeId: spoke.id,
      hubId,
      heartbeatMs: this.#heartbeatMs,
      resume,
      resumed: known !== null,
      batch: registration.batch,
      maxFrameBytes: this.maxFrameBytes,
    });
    if (registration.batch) connection.agreeOnBatches(registration.acks);
    this.router.activate(spoke, connection);
    this.log?.info("Spoke {name} is connected", { name: spoke.record.name, spokeId: spoke.id, orgId });
    this.#changed(orgId);
  }

  drained(spoke: Spoke): void {
    this.router.drain(spoke);
    this.#changed(spoke.record.orgId);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    const { spoke } = connection;
    if (spoke === null || (spoke.link !== null && spoke.link !== connection)) return;
    if (spoke.status === "gone") return;
    if (this.#isClosed) {
      spoke.link = null;
      return;
    }
    this.router.detach(spoke);
    this.#changed(spoke.record.orgId);
  }

  /** The spoke that this token stands for, taken over from the socket it may still have. */
  #resumable(token: string | null, connection: Connection): Spoke | null {
    if (token === null) return null;
    const { orgId, identity } = connection.principal;
    const hash = hashResumeToken(token);
    for (const spoke of this.#spokes.values()) {
      const { record } = spoke;
      if (record.resumeTokenHash !== hash || record.orgId !== orgId || record.identityId !== identity.id) continue;
      return spoke;
    }
    return null;
  }

  /** From here on calls for it are accepted, and wait until it is active. */
  #admit(connection: Connection, registration: Registration, known: Spoke | null, resume: string): Spoke {
    const { orgId, identity } = connection.principal;
    const { name, spokeType, version, labels, hostInfo, maxConcurrency, operations } = registration;
    const record: SpokeRecord = {
      id: known?.id ?? this.#newId(),
      orgId,
      identityId: identity.id,
      name,
      spokeType,
      version,
      labels,
      hostInfo,
      maxConcurrency,
      resumeTokenHash: hashResumeToken(resume),
      operations,
      connectedAt: this.clock.now(),
    };
    const spoke = known ?? new Spoke(record, this.clock.now());
    spoke.isHeld = this.#isHeld(record.orgId, record);
    const former = spoke.link;
    spoke.cancelGrace();
    if (former !== connection) spoke.status = "registering";
    spoke.link = former === connection ? connection : null;
    connection.spoke = spoke;
    connection.resumeToken = resume;
    spoke.lastSeenAt = this.clock.now();
    spoke.update(record);
    this.#spokes.set(spoke.id, spoke);
    this.router.offer(spoke);
    for (const other of [...this.#connections]) {
      if (other === connection || other.spoke !== spoke) continue;
      // Half-open: the spoke knows better than this hub that its old socket is dead.
      other.spoke = null;
      other.close(4001, "Spoke has come back on another socket");
    }
    return spoke;
  }

  #newId(): string {
    return this.#options.newId?.() ?? crypto.randomUUID();
  }

  #find(orgId: string, spokeId: string): Spoke | undefined {
    const spoke = this.#spokes.get(spokeId);
    return spoke?.record.orgId === orgId ? spoke : undefined;
  }

  #gone(spoke: Spoke, reason: string): void {
    this.#spokes.delete(spoke.id);
    const { id, name, orgId } = spoke.record;
    this.log?.info("Spoke {name} is gone: {reason}", { name, spokeId: id, orgId, reason });
    this.#options.store.disconnected({ spokeId: id, at: this.clock.now(), reason }).catch((error: unknown) => {
      this.log?.warn("Spoke {name} could not be stored as gone: {error}", { name, spokeId: id, error });
    });
    this.#changed(orgId);
  }

  #changed(orgId: string): void {
    this.#options.onChange?.(orgId);
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.clock.at(this.clock.now() + this.#heartbeatMs, () => {
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  /** Finds spokes that fell silent, and stores who did not. */
  #sweep(): void {
    const now = this.clock.now();
    const alive: string[] = [];
    for (const spoke of [...this.#spokes.values()]) {
      const { link } = spoke;
      if (link === null) continue;
      if (now - spoke.lastSeenAt <= MISSED_HEARTBEATS * this.#heartbeatMs) {
        alive.push(spoke.id);
        continue;
      }
      this.router.lose(spoke, `it has missed ${MISSED_HEARTBEATS} heartbeats`);
      link.close(4002, `${MISSED_HEARTBEATS} heartbeats were missed`);
    }
    if (alive.length === 0) return;
    this.#options.store.heartbeats({ spokeIds: alive, at: now }).catch((error: unknown) => {
      this.log?.warn("Heartbeats could not be stored: {error}", { error });
    });
  }
}
