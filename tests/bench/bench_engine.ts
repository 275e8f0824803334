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
  close(): Promise<void>;
}

export interface BenchPlan {
  readonly hash: string;
  readonly plan: Plan;
}

const CALLER = { identity: { id: "bench", scopes: ["*"] }, orgId: "default" };
const HASH = "0".repeat(56);

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
  return {
    async run({ hash, plan }) {
      const { runId } = await engine.start({
        workflow: plan.workflow,
        version: hash,
        planHash: hash,
        plan,
        functions: new Map(),
        input: { n: 1 },
        caller: CALLER,
      });
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

function operation(
  index: number,
  parent: number,
  input: { readonly value: number | { readonly $ref: string } },
): PlanNode {
  return { kind: "operation", key: `s${index}`, parent, end: index + 2, operationId: "core.echo", input };
}

function named(workflow: string, nodes: readonly PlanNode[]): BenchPlan {
  const hash = HASH + workflow.length.toString(16).padStart(4, "0") + nodes.length.toString(16).padStart(4, "0");
  return { hash, plan: { planVersion: 1, workflow, nodes, output: null, failurePolicy: "continue-running" } };
}
