import { localEnvelope } from "@alkdev/operations";
import type { Plan, PlanNode } from "@alkdev/flowgraph";
import { Engine } from "../../engine/mod.ts";
import type { Database } from "../../src/storage/database.ts";
import { createEventLog } from "../../src/storage/event_log.ts";
import { acquireLease } from "../../src/storage/lease.ts";
import { createPlanStore } from "../../src/storage/plan_store.ts";
import { createSystemClock } from "../../src/system/clock.ts";
import { createIds } from "../../src/system/ids.ts";

/** An engine on a database, whose every operation answers at once with `{value: 1}`. */
export interface BenchEngine {
  /** Runs a plan to its end. */
  run(plan: BenchPlan): Promise<void>;
  /** Starts a plan; durable when it resolves. */
  start(plan: BenchPlan): Promise<{ readonly runId: string }>;
  close(): Promise<void>;
}

export interface BenchPlan {
  readonly hash: string;
  readonly plan: Plan;
}

const CALLER = { identity: { id: "bench", scopes: ["*"] }, orgId: "default" };
const HASH = "0".repeat(48);

export async function openBenchEngine(db: Database): Promise<BenchEngine> {
  const log = createEventLog(db, await acquireLease(db, { hubId: "bench", ttlMs: 3_600_000 }));
  const engine = new Engine({
    log,
    plans: createPlanStore(db),
    functions: { functions: () => Promise.resolve(new Map()) },
    dispatcher: { dispatch: (call) => Promise.resolve(localEnvelope({ value: 1 }, call.operationId)) },
    clock: createSystemClock(),
    ids: createIds(),
    random: Math.random,
    onTrouble: (error) => {
      if (error !== null) throw error;
    },
  });
  const start = ({ hash, plan }: BenchPlan) =>
    engine.start({
      workflow: plan.workflow,
      version: hash,
      planHash: hash,
      plan,
      functions: new Map(),
      input: { n: 1 },
      caller: CALLER,
    });
  return {
    start,
    async run(plan) {
      const { runId } = await start(plan);
      const terminal = await engine.done(runId);
      if (terminal !== null && terminal.type !== "run.completed") throw new Error(`Run ended with ${terminal.type}`);
    },
    async close() {
      await engine.stop(1000);
      await log.close();
    },
  };
}

/** `steps` operations one after the other; each reads the one before. */
export function chain(steps: number): BenchPlan {
  const nodes: PlanNode[] = [{ kind: "sequential", key: "root", parent: -1, end: steps + 1 }];
  for (let i = 0; i < steps; i++) {
    nodes.push(operation(i, 0, { value: i === 0 ? 0 : { $ref: `nodes.s${i - 1}.value` } }));
  }
  return named(`bench.chain${steps}`, nodes);
}

/** One operation, `width` beside each other, one more. */
export function fan(width: number): BenchPlan {
  const nodes: PlanNode[] = [{ kind: "sequential", key: "root", parent: -1, end: width + 4 }];
  nodes.push(operation(0, 0, { value: 0 }));
  nodes.push({ kind: "parallel", key: "all", parent: 0, end: width + 3 });
  for (let i = 1; i <= width; i++) nodes.push({ ...operation(i, 2, { value: i }), end: i + 3 });
  nodes.push({ ...operation(width + 1, 0, { value: 1 }), end: width + 4 });
  return named(`bench.fan${width}`, nodes);
}

/** One node that waits: for a signal, or an hour. */
export function waiting(kind: "signal" | "sleep"): BenchPlan {
  const place = { key: "w", parent: 0, end: 2 } as const;
  const node: PlanNode = kind === "signal" ? { kind, ...place, signal: "go" } : { kind, ...place, ms: 3_600_000 };
  return named(`bench.${kind}`, [{ kind: "sequential", key: "root", parent: -1, end: 2 }, node]);
}

function operation(
  index: number,
  parent: number,
  input: { readonly value: number | { readonly $ref: string } },
): PlanNode {
  return { kind: "operation", key: `s${index}`, parent, end: index + 2, operationId: "core.echo", input };
}

function named(workflow: string, nodes: readonly PlanNode[]): BenchPlan {
  return withHash({ planVersion: 1, workflow, nodes, output: null, failurePolicy: "continue-running" });
}

/** A plan under a made-up hash, of its name's and its own length. */
export function withHash(plan: Plan): BenchPlan {
  const digits = (value: number) => value.toString(16).padStart(8, "0");
  return { hash: HASH + digits(plan.workflow.length) + digits(plan.nodes.length), plan };
}
