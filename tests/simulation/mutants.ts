/** Engines broken on purpose, from outside: each stands for a mistake somebody could make, and each must be caught. */
import type { CommitResult, RunEvent } from "../../engine/mod.ts";
import { RunState } from "../../engine/mod.ts";
import { createMemoryLog } from "../../engine/memory/mod.ts";
import { ActiveRun } from "../../engine/active_run.ts";
import { NodeCall } from "../../engine/node_call.ts";
import { RunCalls } from "../../engine/run_calls.ts";
import type { Plan, PlanNode } from "@alkdev/flowgraph";
import { type Mutant, SOUND } from "./mutant.ts";

function mutant(name: string, broken: Partial<Mutant>): Mutant {
  return { ...SOUND, ...broken, name };
}

/** Replaces a method until the way back is called. */
function patch<T extends object, K extends keyof T>(target: T, key: K, make: (original: T[K]) => T[K]): () => void {
  const original = target[key];
  target[key] = make(original);
  return () => void (target[key] = original);
}

function withoutLimits(plan: Plan): Plan {
  const nodes = plan.nodes.map((node): PlanNode => {
    if (node.kind !== "parallel" && node.kind !== "map") return node;
    const { maxConcurrency: _, ...rest } = node;
    return rest;
  });
  return { ...plan, nodes };
}

const applyOf = (make: (apply: RunState["apply"]) => RunState["apply"]) => () =>
  patch(RunState.prototype, "apply", make);

export const MUTANTS: readonly Mutant[] = [
  mutant("a fenced hub can still write", {
    // Guarded by the lease of whoever holds it now instead of by its own.
    log: (inner, world, hub) => ({
      ...inner,
      commit: (batch) =>
        createMemoryLog(world.store, { hubId: hub.hubId, epoch: world.store.hubs.get(hub.hubId)!.epoch }).commit(batch),
    }),
  }),
  mutant("a batch is acknowledged and lost", {
    log: (inner, world) => ({
      ...inner,
      commit: (batch) =>
        world.chance.is(0.05) ? Promise.resolve<CommitResult>({ duplicates: new Map() }) : inner.commit(batch),
    }),
  }),
  mutant("a batch is torn", {
    log: (inner, world) => ({
      ...inner,
      commit: async (batch) => {
        if (!world.chance.is(0.05)) return await inner.commit(batch);
        await inner.commit(batch.slice(0, Math.floor(batch.length / 2)));
        throw new Error("connection reset");
      },
    }),
  }),
  mutant("a commit is answered before it happens", {
    outerLog: (inner) => ({
      ...inner,
      commit: (batch) => {
        inner.commit(batch).catch(() => {});
        return Promise.resolve({ duplicates: new Map() });
      },
    }),
  }),
  mutant("an event is written twice", {
    outerLog: (inner) => ({
      ...inner,
      commit: (batch) => {
        const last = batch[batch.length - 1]!;
        const again = last.type === "call.responded" ? [{ ...last, seq: last.seq + 1 } as RunEvent] : [];
        return inner.commit([...batch, ...again]);
      },
    }),
  }),
  mutant("an idempotency key is forgotten", {
    log: (inner, world) => ({
      ...inner,
      commit: (batch) => {
        world.store.keys.clear();
        return inner.commit(batch);
      },
    }),
  }),
  mutant("a completed node is called again", {
    dispatcher: (inner, world) => ({
      dispatch: async (call) => {
        const answer = await inner.dispatch(call);
        if (world.chance.is(0.05)) {
          await new Promise<void>((resolve) => world.schedule.in(200, resolve));
          inner.dispatch(call).catch(() => {});
        }
        return answer;
      },
    }),
  }),
  mutant("a call gets another node's input", {
    dispatcher: (inner, world) => ({
      dispatch: (call) =>
        world.chance.is(0.05)
          ? inner.dispatch(Object.create(call, { input: { value: null, enumerable: true } }))
          : inner.dispatch(call),
    }),
  }),
  mutant("a clock loses timers", {
    clock: (inner, world) => ({
      now: inner.now,
      afterTurn: inner.afterTurn,
      at: (due, callback) => world.chance.is(0.1) ? () => {} : inner.at(due, callback),
    }),
  }),
  mutant("a clock fires too early", {
    clock: (inner) => ({
      now: inner.now,
      afterTurn: inner.afterTurn,
      at: (due, callback) => inner.at(inner.now() + (due - inner.now()) / 2, callback),
    }),
  }),
  mutant("maxConcurrency is ignored", {
    plan: <P extends Plan | null>(plan: P): P => (plan === null ? plan : withoutLimits(plan)) as P,
  }),
  mutant("a retry takes the attempt number again", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type !== "call.error" || event.retryAt === null || place === undefined) return;
        place.frame.cells[place.vertex]!.attempt--;
      }
    ),
  }),
  mutant("an abort reaches no handler", {
    install: () =>
      patch(NodeCall.prototype, "cancel", () =>
        function (this: NodeCall) {
          this.ended = true;
          this.cancelTimeout?.();
        }),
  }),
  mutant("memory holds more than the log", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        // Only the live state is told where the event belongs: a fold looks it up.
        if (event.type === "call.error" && place !== undefined) place.frame.cells[place.vertex]!.startedAt = event.at;
      }
    ),
  }),
  mutant("a pause of a node holds nothing back", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type === "node.paused") this.pausedNodes = 0;
      }
    ),
  }),
  mutant("the abort of a node that has not begun is forgotten", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type === "node.aborted") place?.frame.asks?.doomed.clear();
      }
    ),
  }),
  mutant("a node is given up though it is aborted", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type !== "node.aborted" || place === undefined) return;
        const { frame, vertex } = place;
        const cell = frame.cells[this.program.exit[frame.block.nodes[vertex]!]!];
        if (cell?.error) cell.error = { ...cell.error, code: "GIVEN_UP" };
      }
    ),
  }),
  mutant("an answer that came early is forgotten", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type === "signal.buffered") this.early = null;
      }
    ),
  }),
  mutant("a node with another run's result runs all the same", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event.type === "node.reused" ? { ...event, key: "nowhere" } : event, place);
      }
    ),
  }),
  mutant("a migration leaves the run on its old plan", {
    install: () => patch(ActiveRun.prototype, "moveTo", () => () => {}),
  }),
  mutant("a migration leaves calls that are under way behind", {
    install: () => patch(RunCalls.prototype, "carry", () => () => {}),
  }),
  mutant("a pause holds nothing back", {
    install: applyOf((apply) =>
      function (this: RunState, event, place) {
        apply.call(this, event, place);
        if (event.type === "run.paused") this.status = "running";
      }
    ),
  }),
];
