/** Hubs of one process on a memory bus, with spokes that answer when they are told to. */
import { Type } from "@alkdev/typebox";
import {
  CallError,
  operationId,
  type OperationSpec,
  parseOperationReference,
  type ResponseEnvelope,
} from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { type RunnerPool, SpokeLostError, type SpokeView } from "../spokes/mod.ts";
import { offerOf } from "./hub_offer.ts";
import { MemoryExchange } from "./memory_bus.ts";
import { PeerOperations } from "./peer_operations.ts";
import type { HubBus } from "./ports.ts";
import { Presence } from "./presence.ts";
import { ServedCalls } from "./served_calls.ts";

/** Time that moves when told to; the end of a turn is the real one. */
export class TestClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  at(due: number, callback: () => void): () => void {
    const timer = { due, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  afterTurn(callback: () => void): void {
    setTimeout(callback, 0);
  }

  /** Fires what falls due on the way, in order, and lets the messages of each step arrive. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (true) {
      const due = [...this.#timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.due);
      due.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything that follows from what has just happened happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

export function specOf(name: string, more: Partial<OperationSpec> = {}): OperationSpec {
  return {
    namespace: "work",
    name,
    version: "1.0.0",
    type: "mutation",
    description: "",
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    ...more,
  };
}

export function envelopeOf(data: unknown): ResponseEnvelope {
  return { data, meta: { source: "local", operationId: "work.step", timestamp: 0 } };
}

export function callOf(more: Partial<DispatchedCall> = {}): DispatchedCall {
  return {
    requestId: "r1",
    operationId: "work.step",
    input: {},
    identity: { id: "ann", scopes: [] },
    orgId: "acme",
    runId: "run-1",
    nodeKey: "a",
    attempt: 1,
    parentRequestId: "run-1",
    deadline: null,
    spoke: null,
    signal: new AbortController().signal,
    ...more,
  };
}

interface Held {
  readonly call: DispatchedCall;
  readonly resolve: (output: ResponseEnvelope) => void;
  readonly reject: (error: Error) => void;
}

/** The pool of one hub: at most one spoke, of organization "acme". */
export class TestPool {
  specs: OperationSpec[] = [];
  labels: Record<string, string> = {};
  status: "here" | "away" = "here";
  chunks: unknown[] = [];
  readonly held: Map<string, Held> = new Map();
  /** Request ids in order. */
  readonly calls: string[] = [];
  readonly aborted: string[] = [];

  asPool(): RunnerPool {
    const find = (reference: string) => {
      const { id, version } = parseOperationReference(reference);
      return this.specs.find((spec) => operationId(spec) === id && (version === null || spec.version === version));
    };
    const parts: Partial<RunnerPool> = {
      organizations: () => ["acme"],
      specs: (orgId) => orgId === "acme" ? this.specs : [],
      offered: () => this.status === "here" ? this.specs.map((spec) => ({ spec, labels: [this.labels] })) : [],
      spec: (orgId, id) => orgId === "acme" ? find(id) : undefined,
      list: () => this.specs.length === 0 ? [] : [this.#view()],
      offers: (orgId, id, labels) =>
        orgId === "acme" && find(id) !== undefined &&
          Object.entries(labels ?? {}).every(([key, value]) => this.labels[key] === value)
          ? this.status
          : null,
      place: (requestId) => this.held.has(requestId) ? { spokeId: "s", spokeName: "s", state: "running" } : null,
      call: (call) => this.#call(call),
      stream: (call) => this.#stream(call),
    };
    return parts as RunnerPool; // the rest is not used here
  }

  answer(requestId: string, data: unknown): void {
    this.#take(requestId).resolve(envelopeOf(data));
  }

  fail(requestId: string, error: Error): void {
    this.#take(requestId).reject(error);
  }

  lose(requestId: string): void {
    this.fail(requestId, new SpokeLostError("lost", "work.step"));
  }

  #call(call: DispatchedCall): Promise<ResponseEnvelope> {
    this.calls.push(call.requestId);
    return new Promise((resolve, reject) => {
      this.held.set(call.requestId, { call, resolve, reject });
      call.signal.addEventListener("abort", () => {
        this.aborted.push(call.requestId);
        this.held.delete(call.requestId);
        reject(new CallError("ABORTED", "aborted"));
      });
    });
  }

  async *#stream(call: DispatchedCall): AsyncGenerator<ResponseEnvelope, void, undefined> {
    this.calls.push(call.requestId);
    for (const chunk of this.chunks) yield envelopeOf(chunk);
  }

  #take(requestId: string): Held {
    const held = this.held.get(requestId);
    if (held === undefined) throw new Error(`Call "${requestId}" is not here`);
    this.held.delete(requestId);
    return held;
  }

  #view(): SpokeView {
    return {
      id: "s",
      name: "s",
      spokeType: "custom",
      version: null,
      status: "connected",
      labels: this.labels,
      hostInfo: null,
      operations: this.specs.map((spec) => `${spec.namespace}.${spec.name}`),
      maxConcurrency: 16,
      inFlight: 0,
      load: null,
      connectedAt: 0,
      lastSeenAt: 0,
    };
  }
}

export interface TestHub {
  readonly bus: HubBus;
  readonly pool: TestPool;
  readonly presence: Presence;
  readonly operations: PeerOperations;
  readonly served: ServedCalls;
  /** Its calls are left to the next owner from now on. */
  leave(): void;
  /** As kill -9. */
  kill(): Promise<void>;
  call(more?: Partial<DispatchedCall>): Promise<unknown>;
}

export class TestHubs implements AsyncDisposable {
  readonly clock: TestClock = new TestClock();
  readonly exchange: MemoryExchange = new MemoryExchange();
  readonly #hubs: TestHub[] = [];

  async hub(hubId: string, offer: readonly OperationSpec[] = []): Promise<TestHub> {
    const { clock } = this;
    const bus = this.exchange.bus(hubId);
    const pool = new TestPool();
    pool.specs = [...offer];
    const runnerPool = pool.asPool();
    let isLeaving = false;
    const quiet = { debug: () => {}, info: () => {}, warn: () => {} };
    const presence = new Presence({
      bus,
      clock,
      epoch: 1,
      offer: () => offerOf(runnerPool),
      graceMs: 15_000,
      log: quiet,
    });
    const served = new ServedCalls({ bus, pool: runnerPool, isLeaving: () => isLeaving });
    const operations = new PeerOperations({
      bus,
      pool: runnerPool,
      presence,
      served,
      clock,
      graceMs: 15_000,
      mayCall: () => true,
      isLeaving: () => isLeaving,
    });
    const hub: TestHub = {
      bus,
      pool,
      presence,
      operations,
      served,
      leave: () => isLeaving = true,
      async kill() {
        presence.stop();
        operations.close();
        await bus.close();
      },
      async call(more) {
        const call = callOf(more);
        const spec = operations.spec(call.orgId, call.operationId, call.spoke) ?? specOf("step");
        return (await operations.call(call, spec)).data;
      },
    };
    this.#hubs.push(hub);
    await presence.join([], 0);
    await settle();
    return hub;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const hub of this.#hubs) await hub.kill();
  }
}
