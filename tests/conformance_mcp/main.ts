/**
 * Starts a real hub with the test pack and runs the MCP conformance suite against it, and the MCP Inspector:
 * `deno task conformance [scenario, revision, "Tasks" or "Inspector" …]`. With `serve` it prints the
 * address and stays until SIGTERM, for a suite that is run by hand.
 * Exits 1 when a check that counts has failed.
 */
import { connectSpoke } from "@alkdev/spoke";
import { startHubProcess, until } from "../e2e/_hub_process.ts";
import { runInspector } from "./inspector.ts";
import { startKeyProxy } from "./key_proxy.ts";
import { packOperations } from "./pack/operations.ts";
import { listScenarios, runScenario } from "./suite.ts";

const PACK = new URL("./pack/workflows", import.meta.url).pathname;
/** At which version each set of scenarios speaks; null: the version that the scenario itself is for. */
const SETS = [
  { title: "2025-06-18", revision: "2025-06-18", select: ["--spec-version", "2025-06-18"] },
  { title: "2025-11-25", revision: "2025-11-25", select: ["--spec-version", "2025-11-25"] },
  { title: "2026-07-28", revision: "2026-07-28", select: ["--spec-version", "2026-07-28"] },
] as const;
const TASKS = [
  "tasks-lifecycle",
  "tasks-capability-negotiation",
  "tasks-wire-fields",
  "tasks-request-state-removal",
  "tasks-mrtr-input",
  "tasks-request-headers",
  "tasks-dispatch-and-envelope",
  "tasks-status-notifications",
  "tasks-required-task-error",
  "tasks-mrtr-composition",
];

/** Scenarios at once. */
const AT_ONCE = 3;

const only = Deno.args;
const templates = await Deno.makeTempDir({ prefix: "mcp-pack-" });
for await (const { name } of Deno.readDir(PACK)) await Deno.copyFile(`${PACK}/${name}`, `${templates}/${name}`);

let failed = 0;
let passed = 0;
{
  await using hub = await startHubProcess({ env: { HUB_WORKFLOWS: templates, HUB_LOG: "error" } });
  await using proxy = await startKeyProxy(hub.url, hub.key);
  const spoke = connectSpoke({ url: hub.url, key: hub.key, name: "pack", operations: packOperations(toggle) });
  await spoke.ready;
  await until("the templates of the pack", async () => (await hub.api("GET", "/api/workflows/greet")).status === 200);
  if (only[0] === "serve") {
    console.log(`${proxy.url}/mcp`);
    await new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
  }
  for (const { title, revision, select } of SETS) {
    const scenarios = await listScenarios(...select);
    failed += await runSet(title, `${proxy.url}/mcp`, scenarios, revision);
  }
  failed += await runSet("Tasks", `${proxy.url}/mcp`, TASKS, null);
  if (only.length === 0 || only.includes("Inspector")) failed += await runInspector(`${proxy.url}/mcp`);
  await spoke.close();
  if (hub.stderr() !== "") console.log(`The hub said:\n${hub.stderr().slice(-4000)}`);
}
await Deno.remove(templates, { recursive: true });
// .ci/run counts this line.
console.log(`MCP conformance: ${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

async function runSet(title: string, url: string, all: readonly string[], revision: string | null): Promise<number> {
  const scenarios = only.length === 0 ? all : all.filter((name) => only.includes(name) || only.includes(title));
  if (scenarios.length === 0) return 0;
  const verdicts = await severalAtOnce(scenarios, (scenario) => runScenario(url, scenario, revision));
  for (const verdict of verdicts) {
    const mark = verdict.failed > 0 ? "FAIL" : verdict.passed === 0 ? "skip" : "ok";
    console.log(`${title}  ${mark.padEnd(4)}  ${verdict.scenario}  ${verdict.passed} passed, ${verdict.failed} failed`);
    for (const problem of verdict.problems) console.log(`        ${problem}`);
  }
  const sum = (field: "passed" | "failed" | "warnings" | "skipped") =>
    verdicts.reduce((total, verdict) => total + verdict[field], 0);
  const good = verdicts.filter((verdict) => verdict.failed === 0).length;
  console.log(
    `${title}: ${good} of ${verdicts.length} scenarios; checks: ${sum("passed")} passed, ${sum("failed")} failed, ` +
      `${sum("warnings")} warnings, ${sum("skipped")} skipped\n`,
  );
  passed += sum("passed");
  return sum("failed");
}

/** What `work` makes of each, in their order. Each scenario is a process of its own, which mostly waits for itself to start. */
async function severalAtOnce<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = all.entries();
  const take = async () => {
    for (const [index, one] of left) results[index] = await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return results;
}

/** Adds a template file to those that the hub serves, or takes it away again. */
async function toggle(kind: "tool" | "prompt"): Promise<void> {
  const path = `${templates}/toggled_${kind}.tsx`;
  const isThere = await Deno.stat(path).then(() => true, () => false);
  if (isThere) return await Deno.remove(path);
  const source = await Deno.readTextFile(`${PACK}/logging_tool.tsx`);
  await Deno.writeTextFile(
    path,
    source.replace("test_logging_tool", `toggled_${kind}`).replace('expose: "tool"', `expose: "${kind}"`),
  );
}
