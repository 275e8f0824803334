/**
 * Real hubs, spokes, PostgreSQL and Redis under load, while everything is killed, suspended, cut and restarted; then a look at
 * what is left: nothing lost, nothing recorded twice, nothing carried out again after it was recorded, no run without an owner.
 *
 *     deno task chaos --minutes 5 [--seed 1] [--clients 8]
 *     deno task chaos --rolling           restarts hubs one by one and tells the longest stall
 *     deno task chaos --throughput        runs a second of one, two and three hubs
 *
 * Exit code 1: a violation. 2: PostgreSQL's or Redis's programs are not there.
 */
import { parseArgs } from "node:util";
import { check, type Findings } from "./check.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { letFail, randomOf } from "./faults.ts";
import { putTemplates, startLoad } from "./load.ts";
import { rollingRestart } from "./rolling.ts";
import { throughput } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    clients: { type: "string", default: "8" },
    rolling: { type: "boolean", default: false },
    throughput: { type: "boolean", default: false },
  },
});
const startedAt = Date.now();
const say = (text: string): void =>
  console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);

if (values.throughput) Deno.exit(await throughput(say));
const cluster = await startCluster({ hubs: 3, spokes: 3 });
if (cluster === null) {
  console.error("PostgreSQL's or Redis's programs are not there");
  Deno.exit(2);
}
let violations: readonly string[] = ["It did not come to its end"];
try {
  violations = values.rolling ? await rollingRestart(cluster, say) : await chaos(cluster);
} finally {
  await cluster[Symbol.asyncDispose]();
}
Deno.exit(violations.length === 0 ? 0 : 1);

async function chaos(cluster: Cluster): Promise<readonly string[]> {
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  say(`3 hubs, 3 spokes, ${values.clients} clients, ${minutes} min, seed ${seed}`);
  await putTemplates(cluster.hubs[0]!, cluster.key);
  const load = startLoad({ hubs: cluster.hubs, key: cluster.key, clients: Number(values.clients), pauseMs: 120 });
  const counts = await letFail(cluster, { endsAt: Date.now() + minutes * 60_000, random: randomOf(seed), say });
  say("calm");
  await load.stop();
  await Promise.all(cluster.hubs.map((hub) => hub.ready()));
  const findings = await check(cluster, load.acknowledged);
  for (const [name, count] of counts) console.log(`  ${name}: ${count}`);
  report(findings, { acknowledged: load.acknowledged.length, refused: load.refused(), stallMs: load.longestStallMs() });
  for (const [i, hub] of cluster.hubs.entries()) {
    for (const end of new Set(hub.unexpected)) console.log(`  hub ${i} ended by itself: ${end}`);
  }
  return findings.violations;
}

function report(
  findings: Findings,
  { acknowledged, refused, stallMs }: {
    readonly acknowledged: number;
    readonly refused: number;
    readonly stallMs: number;
  },
): void {
  console.log(
    `  ${acknowledged} runs acknowledged (${refused} attempts refused), ${findings.runs} runs in the database`,
  );
  console.log(
    `  longest wait for an acknowledgement ${stallMs} ms; all had ended ${findings.settledMs} ms after the calm`,
  );
  console.log(`  ${findings.executions} executions on spokes, ${findings.repeated} of them repeated before an outcome`);
  for (const [code, count] of findings.errors) console.log(`  error ${code}: ${count}`);
  for (const violation of findings.violations) console.log(`  VIOLATION ${violation}`);
  console.log(findings.violations.length === 0 ? "  no violation" : "");
}
