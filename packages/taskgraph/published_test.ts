/** What the published package promises, by the sections of its reference (4.1 to 4.6). Tests beside the code go deeper. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Value } from "@alkdev/typebox/value";
import {
  bottlenecks,
  calculateTaskEv,
  CircularDependencyError,
  criticalPath,
  DependencyEdge,
  DuplicateEdgeError,
  DuplicateNodeError,
  impactWeight,
  InvalidInputError,
  Nullable,
  parallelGroups,
  parseTaskDirectory,
  parseTaskFile,
  resolveDefaults,
  riskDistribution,
  riskPath,
  riskSuccessProbability,
  riskWeight,
  scopeCostEstimate,
  scopeTokenEstimate,
  serializeFrontmatter,
  shouldDecomposeTask,
  TaskGraph,
  TaskgraphError,
  TaskGraphSerialized,
  TaskImpactEnum,
  TaskInput,
  TaskLevelEnum,
  TaskNotFoundError,
  TaskPriorityEnum,
  TaskRiskEnum,
  TaskScopeEnum,
  TaskStatusEnum,
  weightedCriticalPath,
  workflowCost,
} from "./mod.ts";

const task = (id: string, ...dependsOn: string[]): TaskInput => ({ id, name: id.toUpperCase(), dependsOn });
const valuesOf = (schema: { readonly anyOf: readonly { readonly const: string }[] }) =>
  schema.anyOf.map((literal) => literal.const);
const near = (actual: number | undefined, wanted: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - wanted) < 1e-12, `${actual}: wanted ${wanted}`);

Deno.test("4.1: the enums have the published values and numbers, from low to high", () => {
  const scopes = ["single", "narrow", "moderate", "broad", "system"] as const;
  const risks = ["trivial", "low", "medium", "high", "critical"] as const;
  const impacts = ["isolated", "component", "phase", "project"] as const;
  assert.deepEqual([valuesOf(TaskScopeEnum), valuesOf(TaskRiskEnum), valuesOf(TaskImpactEnum)], [
    scopes,
    risks,
    impacts,
  ]);
  assert.deepEqual(valuesOf(TaskLevelEnum), ["planning", "decomposition", "implementation", "review", "research"]);
  assert.deepEqual(valuesOf(TaskPriorityEnum), ["low", "medium", "high", "critical"]);
  assert.deepEqual(valuesOf(TaskStatusEnum), ["pending", "in-progress", "completed", "failed", "blocked"]);
  assert.deepEqual(scopes.map(scopeCostEstimate), [1, 2, 3, 4, 5]);
  assert.deepEqual(scopes.map(scopeTokenEstimate), [500, 1_500, 3_000, 6_000, 10_000]);
  assert.deepEqual(risks.map(riskSuccessProbability), [0.98, 0.9, 0.8, 0.65, 0.5]);
  for (const risk of risks) near(riskWeight(risk), 1 - riskSuccessProbability(risk));
  assert.deepEqual(impacts.map(impactWeight), [1, 1.5, 2, 3]);
});

Deno.test("4.2: schemas tell null, which was set, from absent", () => {
  assert.ok(Value.Check(TaskInput, { ...task("a"), risk: null, status: "in-progress", tags: ["x"] }));
  assert.ok(!Value.Check(TaskInput, { id: "a", name: "A" }), "dependsOn is a required field");
  assert.ok(!Value.Check(TaskInput, { ...task("a"), tags: null }));
  assert.ok(Value.Check(Nullable(TaskRiskEnum), null) && !Value.Check(Nullable(TaskRiskEnum), undefined));
  assert.equal(Value.Default(DependencyEdge, { from: "a", to: "b" }) instanceof Object, true);
  assert.deepEqual(Value.Default(DependencyEdge, { from: "a", to: "b" }), {
    from: "a",
    to: "b",
    qualityRetention: 0.9,
  });
});

Deno.test("4.3: fromTasks() is lenient and fromRecords() strict; edges go from prerequisite to dependent", () => {
  const graph = TaskGraph.fromTasks([task("b", "a", "a", "ghost"), task("a")]);
  assert.deepEqual([graph.taskCount, graph.getTask("ghost")], [3, { name: "ghost" }]);
  assert.deepEqual([graph.dependencies("b"), graph.dependents("a")], [["a", "ghost"], ["b"]]);
  assert.deepEqual(graph.raw.edges(), ["a->b", "ghost->b"]);
  assert.equal(graph.raw.getEdgeAttribute("a->b", "qualityRetention"), 0.9);
  const json = JSON.parse(JSON.stringify(graph));
  assert.ok(Value.Check(TaskGraphSerialized, json));
  assert.deepEqual(json.options, { type: "directed", multi: false, allowSelfLoops: false });
  assert.deepEqual(JSON.parse(JSON.stringify(TaskGraph.fromJSON(json))), json);
  const [a, b] = [task("a"), task("b")];
  assert.throws(() => TaskGraph.fromRecords([a], [{ from: "a", to: "x" }]), TaskNotFoundError);
  const twice = [{ from: "a", to: "b" }, { from: "a", to: "b" }];
  assert.throws(() => TaskGraph.fromRecords([a, b], twice), DuplicateEdgeError);
  assert.throws(() => TaskGraph.fromRecords([a, a], []), DuplicateNodeError);
  assert.throws(() => TaskGraph.fromTasks([a, a]), DuplicateNodeError);
});

Deno.test("4.3: cycles are allowed, found and reported; what needs an order throws", () => {
  const graph = TaskGraph.fromTasks([task("a", "b"), task("b", "a"), task("c", "nobody")]);
  assert.ok(graph.hasCycles());
  assert.deepEqual(graph.findCycles().map((cycle) => cycle.toSorted()), [["a", "b"]]);
  assert.throws(() => graph.topologicalOrder(), CircularDependencyError);
  assert.throws(() => parallelGroups(graph), CircularDependencyError);
  const found = graph.validateGraph();
  assert.deepEqual(found.map(({ type, category }) => `${type} ${category}`), [
    "graph cycle",
    "graph dangling-reference",
  ]);
  graph.updateTask("c", JSON.parse('{"risk":"huge"}'));
  assert.deepEqual(graph.validateSchema().map(({ type, taskId, field, value }) => [type, taskId, field, value]), [
    ["schema", "c", "risk", "huge"],
  ]);
  assert.equal(graph.validate().length, 3);
  const part = graph.subgraph((id) => id !== "b");
  assert.deepEqual([part.raw.edges(), part.hasCycles()], [["nobody->c"], false]);
});

Deno.test("4.4: paths, groups, bottlenecks and risk", () => {
  assert.deepEqual([bottlenecks(new TaskGraph()), criticalPath(new TaskGraph())], [[], []]);
  const graph = TaskGraph.fromTasks([
    { ...task("a"), risk: "high", impact: "phase" },
    task("b", "a"),
    { ...task("c", "a"), risk: "critical", impact: "project" },
    task("d", "b"),
  ]);
  assert.deepEqual(parallelGroups(graph), [["a"], ["b", "c"], ["d"]]);
  assert.deepEqual(criticalPath(graph), ["a", "b", "d"]);
  assert.deepEqual(weightedCriticalPath(graph, (id) => id === "c" ? 10 : 1), ["a", "c"]);
  const risky = riskPath(graph);
  assert.deepEqual(risky.path, ["a", "c"]);
  near(risky.totalRisk, 0.35 * 2 + 0.5 * 3);
  assert.deepEqual(riskDistribution(graph), {
    trivial: [],
    low: [],
    medium: [],
    high: ["a"],
    critical: ["c"],
    unspecified: ["b", "d"],
  });
  // Of the 6 ordered pairs of others, 2 go through a task in the middle of a chain: a to d by b.
  assert.deepEqual(bottlenecks(graph)[0], { taskId: "b", score: 1 / 6 });
  assert.deepEqual(resolveDefaults({ name: "x" }), {
    name: "x",
    scope: "narrow",
    risk: "medium",
    impact: "isolated",
    level: null,
    priority: null,
    status: null,
    costEstimate: 2,
    tokenEstimate: 1_500,
    successProbability: 0.8,
    riskWeight: 1 - 0.8,
    impactWeight: 1,
  });
  for (const attributes of [{ risk: "high" }, { risk: "critical" }, { scope: "broad" }, { scope: "system" }] as const) {
    const { shouldDecompose, reasons } = shouldDecomposeTask(attributes);
    assert.deepEqual([shouldDecompose, reasons.length], [true, 1]);
  }
  assert.deepEqual(shouldDecomposeTask({ risk: "medium", scope: "moderate" }), { shouldDecompose: false, reasons: [] });
});

Deno.test("4.4: expected values, with and without retries, and their propagation", () => {
  const plain = calculateTaskEv(0.8, 2, 1.5);
  near(plain.ev, 3);
  near(plain.expectedRetries, 0.25);
  const costly = calculateTaskEv(0.5, 2, 1, { retries: 0, fallbackCost: 4, timeLost: 10, valueRate: 3 });
  near(costly.ev, 3 * (0.5 * 2 + 0.5 * (2 + 4 + 10 * 1)));
  near(calculateTaskEv(0.2, 1, 1, { retries: 2 }).expectedRetries, 2);
  const tasks: TaskInput[] = [{ ...task("a"), risk: "high" }, { ...task("b", "a"), risk: "low", scope: "broad" }];
  const graph = TaskGraph.fromTasks(tasks);
  const { tasks: [first, second], totalEv, averageEv, propagationMode } = workflowCost(graph);
  assert.deepEqual([first?.taskId, second?.taskId, propagationMode], ["a", "b", "dag-propagate"]);
  near(second?.pEffective, 0.9 * (0.65 + 0.35 * 0.9));
  near(totalEv, (first?.ev ?? 0) + (second?.ev ?? 0));
  near(averageEv, totalEv / 2);
  near(workflowCost(graph, { propagationMode: "independent" }).tasks[1]?.pEffective, 0.9);
  graph.updateTask("a", { status: "completed" });
  const rest = workflowCost(graph);
  assert.deepEqual(rest.tasks.map(({ taskId, pEffective }) => [taskId, pEffective]), [["b", 0.9]]);
  assert.equal(workflowCost(graph, { includeCompleted: true }).tasks.length, 2);
  const limited = workflowCost(graph, { includeCompleted: true, limit: 1 });
  assert.deepEqual([limited.tasks.length, limited.totalEv], [1, limited.tasks[0]?.ev]);
});

Deno.test("4.5: task files are read by their path alone", async () => {
  const directory = await mkdtemp(`${tmpdir()}/taskgraph-`);
  try {
    await mkdir(`${directory}/deep`);
    const a: TaskInput = { ...task("a", "b"), risk: null };
    await writeFile(`${directory}/deep/a.md`, serializeFrontmatter(a, "Body"));
    await writeFile(`${directory}/README.md`, "# No task");
    await writeFile(`${directory}/b.txt`, serializeFrontmatter(task("b")));
    assert.deepEqual(await parseTaskFile(`${directory}/deep/a.md`), a);
    assert.deepEqual(await parseTaskDirectory(directory), [a]);
    await assert.rejects(parseTaskFile(`${directory}/README.md`), InvalidInputError);
    await assert.rejects(parseTaskDirectory(`${directory}/none`), { code: "ENOENT" });
  } finally {
    await rm(directory, { recursive: true });
  }
});

Deno.test("4.6: errors have the published family and fields", () => {
  const graph = TaskGraph.fromTasks([task("a")]);
  assert.throws(() => graph.dependencies("x"), { taskId: "x" });
  assert.throws(() => graph.addTask("a", { name: "A" }), { taskId: "a" });
  graph.addTask("b", { name: "B" });
  graph.addDependency("a", "b");
  assert.throws(() => graph.addDependency("a", "b"), { prerequisite: "a", dependent: "b" });
  for (
    const kind of [
      TaskNotFoundError,
      CircularDependencyError,
      InvalidInputError,
      DuplicateNodeError,
      DuplicateEdgeError,
    ]
  ) assert.ok(kind.prototype instanceof TaskgraphError, kind.name);
});
