import { isTerminalType } from "../events.ts";
import type { RunEvent } from "../events.ts";
import { FencedError } from "../ports.ts";
import type { CommitResult, EventLog, Ownership, PlanStore } from "../ports.ts";
import type { Plan } from "@alkdev/flowgraph";

/** What several in-process hubs share: the reference for every durable store. */
export class MemoryStore {
  readonly runs: Map<string, { events: RunEvent[]; hubId: string; epoch: number }> = new Map();
  readonly keys: Map<string, string> = new Map();
  readonly plans: Map<string, Plan> = new Map();
  readonly hubs: Map<string, { epoch: number; released: boolean; until: number }> = new Map();
}

/** Time for leases; ms since the epoch. */
export type Now = () => number;

/** Takes or takes over the lease of `hubId`: the epoch rises at once, and the previous holder is fenced. */
export function acquireMemoryLease(
  store: MemoryStore,
  params: { readonly hubId: string; readonly ttlMs: number; readonly now: Now },
): Ownership {
  const { hubId, ttlMs, now } = params;
  const epoch = (store.hubs.get(hubId)?.epoch ?? 0) + 1;
  store.hubs.set(hubId, { epoch, released: false, until: now() + ttlMs });
  const holds = () => store.hubs.get(hubId)?.epoch === epoch;
  return {
    hubId,
    epoch,
    claim(limit) {
      if (!holds()) return Promise.reject(new FencedError(hubId, epoch));
      // Who has let the lease run out loses it here: from now on its commits are refused.
      for (const [id, hub] of store.hubs) {
        if (id !== hubId && hub.until <= now()) store.hubs.set(id, { epoch: hub.epoch + 1, released: true, until: 0 });
      }
      const claimed: string[] = [];
      for (const [id, run] of store.runs) {
        if (claimed.length === limit) break;
        if (isTerminalType(run.events[run.events.length - 1]!.type)) continue;
        if (run.hubId === hubId && run.epoch === epoch) continue;
        const owner = store.hubs.get(run.hubId);
        if (owner !== undefined && owner.epoch === run.epoch && !owner.released) continue;
        run.hubId = hubId;
        run.epoch = epoch;
        claimed.push(id);
      }
      return Promise.resolve(claimed);
    },
    renew() {
      if (!holds()) return Promise.reject(new FencedError(hubId, epoch));
      store.hubs.set(hubId, { epoch, released: false, until: now() + ttlMs });
      return Promise.resolve();
    },
    release() {
      if (holds()) store.hubs.set(hubId, { epoch: epoch + 1, released: true, until: 0 });
      return Promise.resolve();
    },
  };
}

/** The reference event log: one lease's view of a shared store. */
export function createMemoryLog(
  store: MemoryStore,
  lease: { readonly hubId: string; readonly epoch: number },
): EventLog {
  return {
    commit: (batch) => {
      if (store.hubs.get(lease.hubId)?.epoch !== lease.epoch) {
        return Promise.reject(new FencedError(lease.hubId, lease.epoch));
      }
      try {
        return Promise.resolve(append(store, lease, batch));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    read: ({ runId, after = 0, limit = Infinity }) =>
      Promise.resolve((store.runs.get(runId)?.events ?? []).slice(after, after + limit)),
  };
}

function append(
  store: MemoryStore,
  lease: { readonly hubId: string; readonly epoch: number },
  batch: readonly RunEvent[],
): CommitResult {
  const duplicates = new Map<string, string>();
  const next = new Map<string, number>();
  const keys = new Map<string, string>();
  const kept: RunEvent[] = [];
  for (const event of batch) {
    if (duplicates.has(event.runId)) continue;
    if (event.type === "run.created" && event.idempotencyKey !== null) {
      const key = JSON.stringify([event.caller.orgId, event.workflow, event.idempotencyKey]);
      const holder = store.keys.get(key) ?? keys.get(key);
      if (holder !== undefined && holder !== event.runId) {
        duplicates.set(event.runId, holder);
        continue;
      }
      keys.set(key, event.runId);
    }
    const expected = next.get(event.runId) ?? (store.runs.get(event.runId)?.events.length ?? 0) + 1;
    if (event.seq < expected) continue; // a batch sent again after a lost answer
    if (event.seq !== expected) {
      throw new Error(`Cannot append seq ${event.seq} to run ${event.runId}: expected ${expected}`);
    }
    next.set(event.runId, expected + 1);
    kept.push(event);
  }
  for (const [key, runId] of keys) store.keys.set(key, runId);
  for (const event of kept) {
    const run = store.runs.get(event.runId);
    if (run === undefined) store.runs.set(event.runId, { events: [event], hubId: lease.hubId, epoch: lease.epoch });
    else run.events.push(event);
  }
  return { duplicates };
}

/** Plans in a map. */
export function createMemoryPlanStore(store: MemoryStore): PlanStore {
  return {
    put: (hash, plan) => {
      store.plans.set(hash, plan);
      return Promise.resolve();
    },
    get: (hash) => Promise.resolve(store.plans.get(hash) ?? null),
  };
}
