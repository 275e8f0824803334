/** `memory_case.ts waiting|plan <database url>`, with `--v8-flags=--expose-gc`: measures in a process of its own; prints JSON. */
import process from "node:process";
import { compile } from "@alkdev/flowgraph";
import { openPostgres } from "../../src/storage/postgres_database.ts";
import { type BenchEngine, chain, openBenchEngine, waiting, withHash } from "./bench_engine.ts";
import { load } from "./measure.ts";

const WAITING_RUNS = 100_000;
const BRANCHES = 100;

const [what = "", url = ""] = process.argv.slice(2);
const collect = (globalThis as { readonly gc?: () => void }).gc; // there with --expose-gc
if (collect === undefined) throw new Error("Cannot measure memory without --v8-flags=--expose-gc");
const db = openPostgres({ url });
const engine = await openBenchEngine(db);
await load(5000, 50, () => engine.run(chain(3)));
console.log(JSON.stringify(what === "waiting" ? await measureWaiting(engine) : await measurePlan(engine)));
process.exit(0);

async function measureWaiting(engine: BenchEngine): Promise<Readonly<Record<string, number>>> {
  const bytes: Record<string, number> = {};
  for (const kind of ["signal", "sleep"] as const) {
    const plan = waiting(kind);
    await load(1000, 500, () => engine.start(plan));
    const before = await memory();
    await load(WAITING_RUNS, 500, () => engine.start(plan));
    const after = await memory();
    bytes[kind] = (after.heap - before.heap) / WAITING_RUNS;
    bytes[`${kind}Resident`] = (after.resident - before.resident) / WAITING_RUNS;
  }
  return bytes;
}

async function memory(): Promise<{ readonly heap: number; readonly resident: number }> {
  await new Promise((resolve) => setTimeout(resolve, 500)); // the last commits' promises are let go of
  for (let i = 0; i < 3; i++) collect?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

/** 100 branches of 1,000 operations, each reading the one before. */
async function measurePlan(engine: BenchEngine): Promise<Readonly<Record<string, number>>> {
  const length = 100_000 / BRANCHES;
  const element = (type: string, props: unknown, children: readonly unknown[]) => ({ type, props, children });
  const branches = Array.from({ length: BRANCHES }, (_, b) =>
    element(
      "sequential",
      {},
      Array.from({ length }, (_, i) => {
        const value = i === 0 ? 0 : { $ref: `nodes.b${b}s${i - 1}.value` };
        return element("operation", { name: "core.echo", key: `b${b}s${i}`, input: { value } }, []);
      }),
    ));
  const compiling = performance.now();
  const { plan } = compile({ name: "bench.large", template: element("parallel", {}, branches) });
  const compileMs = performance.now() - compiling;
  const large = withHash(plan);
  const running = performance.now();
  await engine.run(large);
  return { nodes: plan.nodes.length, compileMs, runSeconds: (performance.now() - running) / 1000 };
}
