import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bottlenecks,
  calculateTaskEv,
  CircularDependencyError,
  criticalPath,
  impactWeight,
  InvalidInputError,
  parallelGroups,
  resolveDefaults,
  riskDistribution,
  riskPath,
  riskSuccessProbability,
  riskWeight,
  scopeCostEstimate,
  scopeTokenEstimate,
  shouldDecomposeTask,
  TaskGraph,
  type TaskInput,
  type TaskRisk,
  weightedCriticalPath,
  workflowCost,
} from "../mod.ts";

type Extra = Omit<Partial<TaskInput>, "id" | "dependsOn">;
const task = (id: string, dependsOn: string[] = [], extra: Extra = {}): TaskInput => ({
  id,
  name: id,
  dependsOn,
  ...extra,
});
const diamond = (extra: Extra = {}) =>
  TaskGraph.fromTasks([task("a", [], extra), task("b", ["a"]), task("c", ["a"]), task("d", ["b", "c"])]);
const near = (left: number | undefined, right: number) =>
  assert.ok(left !== undefined && Math.abs(left - right) < 1e-9, `${left} is not ${right}`);

const RISKS: readonly TaskRisk[] = ["trivial", "low", "medium", "high", "critical"];
const graphs = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.array(
    fc.record({
      links: fc.array(fc.nat(20), { maxLength: 3 }),
      risk: fc.constantFrom(...RISKS),
      done: fc.boolean(),
      retention: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: count, maxLength: count },
  ).map((rows) => {
    const tasks = rows.map(({ risk, done }, at) =>
      task(`t${at}`, [], { risk, ...(done && { status: "completed" as const }) })
    );
    const edges = rows.flatMap(({ links, retention }, at) =>
      at === 0 ? [] : [...new Set(links.map((to) => to % at))].map((from) => ({
        from: `t${from}`,
        to: `t${at}`,
        qualityRetention: retention,
      }))
    );
    return TaskGraph.fromRecords(tasks, edges);
  })
);

Deno.test("estimates have the published numbers", () => {
  const scopes = ["single", "narrow", "moderate", "broad", "system"] as const;
  assert.deepEqual(scopes.map(scopeCostEstimate), [1, 2, 3, 4, 5]);
  assert.deepEqual(scopes.map(scopeTokenEstimate), [500, 1500, 3000, 6000, 10000]);
  assert.deepEqual(RISKS.map(riskSuccessProbability), [0.98, 0.9, 0.8, 0.65, 0.5]);
  RISKS.forEach((risk) => near(riskWeight(risk), 1 - riskSuccessProbability(risk)));
  assert.deepEqual((["isolated", "component", "phase", "project"] as const).map(impactWeight), [1, 1.5, 2, 3]);
});

Deno.test("resolveDefaults() takes medium risk, narrow scope and isolated impact, and null for the rest", () => {
  assert.deepEqual(resolveDefaults({ name: "a" }), {
    name: "a",
    scope: "narrow",
    risk: "medium",
    impact: "isolated",
    level: null,
    priority: null,
    status: null,
    costEstimate: 2,
    tokenEstimate: 1500,
    successProbability: 0.8,
    riskWeight: 1 - 0.8,
    impactWeight: 1,
  });
  const given = resolveDefaults({ name: "a", scope: "system", risk: "low", impact: "phase", status: "blocked" });
  assert.deepEqual([given.costEstimate, given.successProbability, given.impactWeight, given.status], [
    5,
    0.9,
    2,
    "blocked",
  ]);
});

Deno.test("parallelGroups() groups by depth, and throws on cycles", () => {
  assert.deepEqual(parallelGroups(diamond()), [["a"], ["b", "c"], ["d"]]);
  assert.deepEqual(parallelGroups(new TaskGraph()), []);
  const circular = TaskGraph.fromTasks([task("a", ["b"]), task("b", ["a"])]);
  for (const analyse of [parallelGroups, criticalPath, riskPath, workflowCost]) {
    assert.throws(() => analyse(circular), CircularDependencyError);
  }
});

Deno.test("parallelGroups() puts a task one past the last of its prerequisites", () => {
  fc.assert(fc.property(graphs, (graph) => {
    const depth = new Map(parallelGroups(graph).flatMap((group, at) => group.map((id) => [id, at] as const)));
    for (const id of graph.raw.nodes()) {
      const wanted = Math.max(-1, ...graph.dependencies(id).map((before) => depth.get(before) ?? NaN)) + 1;
      assert.equal(depth.get(id), wanted);
    }
  }));
});

Deno.test("criticalPath() is the path of most tasks", () => {
  const graph = TaskGraph.fromTasks([task("x"), task("a"), task("b", ["a"]), task("c", ["b", "x"])]);
  assert.deepEqual(criticalPath(graph), ["a", "b", "c"]);
  assert.deepEqual(criticalPath(diamond()), ["a", "b", "d"]);
  assert.deepEqual(criticalPath(new TaskGraph()), []);
});

Deno.test("weightedCriticalPath() weighs as much as the heaviest path there is", () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 9, maxLength: 9 }), (graph, weights) => {
      const weight = (id: string) => weights[Number(id.slice(1))] ?? 0;
      const path = weightedCriticalPath(graph, weight);
      path.slice(1).forEach((id, at) => assert.ok(graph.dependencies(id).includes(path[at] ?? "")));
      const best = (id: string): number => weight(id) + Math.max(0, ...graph.dependents(id).map(best));
      assert.equal(path.reduce((sum, id) => sum + weight(id), 0), Math.max(...graph.raw.nodes().map(best)));
    }),
  );
});

Deno.test("bottlenecks() orders by normalised betweenness", () => {
  const star = TaskGraph.fromTasks([task("in1"), task("in2"), task("hub", ["in1", "in2"]), task("out", ["hub"])]);
  const found = bottlenecks(star);
  assert.deepEqual(found.map(({ taskId }) => taskId), ["hub", "in1", "in2", "out"]);
  // Two of the (4 − 1) × (4 − 2) ordered pairs without it pass through it.
  near(found[0]?.score, 2 / 6);
  assert.deepEqual(bottlenecks(new TaskGraph()), []);
  assert.deepEqual(bottlenecks(TaskGraph.fromTasks([task("a"), task("b", ["a"])])).map(({ score }) => score), [0, 0]);
});

Deno.test("riskPath() sums chance of failure times impact", () => {
  const graph = TaskGraph.fromTasks([
    task("a", [], { risk: "critical", impact: "project" }),
    task("b"),
    task("c", ["b"]),
    task("d", ["a"], { risk: "trivial" }),
  ]);
  const { path, totalRisk } = riskPath(graph);
  assert.deepEqual(path, ["a", "d"]);
  near(totalRisk, 0.5 * 3 + 0.02);
  assert.deepEqual(riskPath(new TaskGraph()), { path: [], totalRisk: 0 });
});

Deno.test("riskDistribution() has five buckets and the unspecified", () => {
  const graph = TaskGraph.fromTasks([task("a", [], { risk: "low" }), task("b"), task("c", [], { risk: "low" })]);
  assert.deepEqual(riskDistribution(graph), {
    trivial: [],
    low: ["a", "c"],
    medium: [],
    high: [],
    critical: [],
    unspecified: ["b"],
  });
});

Deno.test("shouldDecomposeTask() says why", () => {
  assert.deepEqual(shouldDecomposeTask({ risk: "high", scope: "system" }), {
    shouldDecompose: true,
    reasons: ["Risk is high", "Scope is system"],
  });
  for (const attributes of [{}, { risk: "medium" as const }, { scope: "moderate" as const }]) {
    assert.deepEqual(shouldDecomposeTask(attributes), { shouldDecompose: false, reasons: [] });
  }
});

Deno.test("calculateTaskEv() weighs success and failure, and caps retries", () => {
  const { ev, pSuccess, expectedRetries } = calculateTaskEv(0.8, 2, 1.5);
  near(ev, 3);
  near(expectedRetries, 0.25);
  assert.equal(pSuccess, 0.8);
  // Success 3; failure 3 + 10 + 4 × 1 (retries (1 − 0.5) / 0.5 = 1).
  near(calculateTaskEv(0.5, 2, 1.5, { fallbackCost: 10, timeLost: 4 }).ev, 0.5 * 3 + 0.5 * 17);
  assert.equal(calculateTaskEv(0.1, 1, 1, { retries: 2 }).expectedRetries, 2);
  near(calculateTaskEv(0.1, 1, 1, { retries: 20 }).expectedRetries, 9);
  near(calculateTaskEv(1, 2, 2, { fallbackCost: 10, timeLost: 1, valueRate: 3 }).ev, 12);
});

Deno.test("calculateTaskEv() takes a task that never succeeds, and throws for what is no probability", () => {
  assert.deepEqual(calculateTaskEv(0, 2, 1), { ev: 2, pSuccess: 0, expectedRetries: Infinity });
  assert.equal(calculateTaskEv(0, 2, 1, { retries: 3, timeLost: 1 }).ev, 5);
  for (const p of [-0.1, 1.1, NaN]) assert.throws(() => calculateTaskEv(p, 1, 1), InvalidInputError);
});

Deno.test("workflowCost() propagates through the graph, or not", () => {
  const { tasks, totalEv, averageEv, propagationMode } = workflowCost(diamond());
  assert.equal(propagationMode, "dag-propagate");
  assert.deepEqual(tasks.map(({ taskId }) => taskId), ["a", "b", "c", "d"]);
  const b = 0.8 * (0.8 + 0.2 * 0.9);
  near(tasks[1]?.pEffective, b);
  near(tasks[3]?.pEffective, 0.8 * (b + (1 - b) * 0.9) ** 2);
  near(totalEv, 8);
  near(averageEv, 2);
  const independent = workflowCost(diamond(), { propagationMode: "independent" });
  assert.deepEqual(independent.tasks.map(({ pEffective }) => pEffective), [0.8, 0.8, 0.8, 0.8]);
});

Deno.test("workflowCost() takes completed tasks as certain and leaves them out unless asked", () => {
  const graph = diamond({ status: "completed" });
  const { tasks } = workflowCost(graph);
  assert.deepEqual(tasks.map(({ taskId }) => taskId), ["b", "c", "d"]);
  assert.equal(tasks[0]?.pEffective, 0.8);
  assert.equal(workflowCost(graph, { includeCompleted: true }).tasks.length, 4);
});

Deno.test("workflowCost() limits the list before it sums up", () => {
  assert.deepEqual(workflowCost(diamond(), { limit: 1 }).totalEv, 2);
  assert.deepEqual(workflowCost(diamond(), { limit: 0 }), {
    tasks: [],
    totalEv: 0,
    averageEv: 0,
    propagationMode: "dag-propagate",
  });
  assert.throws(() => workflowCost(diamond(), { limit: -1 }), { field: "limit" });
  assert.throws(() => workflowCost(diamond(), { defaultQualityRetention: 2 }), { field: "defaultQualityRetention" });
});

Deno.test("workflowCost() takes defaultQualityRetention where a dependency states none", () => {
  const json = diamond().toJSON();
  const edges = json.edges.map((edge) => ({ ...edge, attributes: {} }));
  const { tasks } = workflowCost(TaskGraph.fromJSON({ ...json, edges }), { defaultQualityRetention: 0 });
  near(tasks[1]?.pEffective, 0.8 * 0.8);
});

Deno.test("workflowCost() never gives a task more than its own chance, nor less for more retention", () => {
  fc.assert(fc.property(graphs, (graph) => {
    const before = workflowCost(graph, { includeCompleted: true }).tasks;
    for (const { pEffective, pIntrinsic } of before) assert.ok(pEffective > 0 && pEffective <= pIntrinsic + 1e-12);
    graph.raw.forEachEdge((key) => graph.raw.setEdgeAttribute(key, "qualityRetention", 1));
    const after = workflowCost(graph, { includeCompleted: true }).tasks;
    after.forEach((task, at) => {
      near(task.pEffective, task.pIntrinsic);
      assert.ok(task.pEffective >= (before[at]?.pEffective ?? NaN) - 1e-12);
    });
  }));
});
