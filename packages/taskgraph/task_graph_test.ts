import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CircularDependencyError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  TaskGraph,
  type TaskGraphSerialized,
  type TaskInput,
  TaskNotFoundError,
} from "./mod.ts";

const task = (id: string, ...dependsOn: string[]): TaskInput => ({ id, name: id.toUpperCase(), dependsOn });

/** Tasks that depend on earlier ones only. */
const acyclic = fc.integer({ min: 0, max: 12 }).chain((count) =>
  fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: count, maxLength: count }).map((links) =>
    links.map((link, at) => task(`t${at}`, ...(at === 0 ? [] : link.map((to) => `t${to % at}`))))
  )
);
/** Tasks that depend on any others. */
const any = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.array(fc.array(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count }).map((links) =>
    links.map((link, at) => task(`t${at}`, ...link.filter((to) => to !== at).map((to) => `t${to}`)))
  )
);

Deno.test("fromTasks() makes nodes of tasks and edges from prerequisites, without what is null or not of a graph", () => {
  const graph = TaskGraph.fromTasks([
    { ...task("b", "a", "a"), risk: "high", scope: null, tags: ["x"], assignee: "me", status: "in-progress" },
    task("a"),
  ]);
  assert.equal(graph.taskCount, 2);
  assert.deepEqual(graph.getTask("b"), { name: "B", risk: "high", status: "in-progress" });
  assert.deepEqual([graph.dependencies("b"), graph.dependents("a")], [["a"], ["b"]]);
  assert.deepEqual(graph.toJSON().edges, [
    { key: "a->b", source: "a", target: "b", attributes: { qualityRetention: 0.9 } },
  ]);
});

Deno.test("fromTasks() makes a node of an unknown prerequisite, which validateGraph() reports until it is added", () => {
  const graph = TaskGraph.fromTasks([task("b", "a"), task("c", "a")]);
  assert.deepEqual(graph.getTask("a"), { name: "a" });
  const findings = graph.validateGraph();
  assert.deepEqual(findings.map(({ category, taskId, details }) => [category, taskId, details?.["prerequisite"]]), [
    ["dangling-reference", "b", "a"],
    ["dangling-reference", "c", "a"],
  ]);
  assert.equal(graph.subgraph((id) => id !== "c").validateGraph().length, 1);
  graph.addTask("a", { name: "A", risk: "low" });
  assert.deepEqual([graph.getTask("a"), graph.validateGraph()], [{ name: "A", risk: "low" }, []]);
  assert.throws(() => graph.addTask("a", { name: "A" }), DuplicateNodeError);
});

Deno.test("fromTasks() and fromRecords() throw for repeated ids and tasks that wait for themselves", () => {
  const twice = [task("a"), task("a")];
  assert.throws(() => TaskGraph.fromTasks(twice), new DuplicateNodeError("a"));
  assert.throws(() => TaskGraph.fromRecords(twice, []), new DuplicateNodeError("a"));
  assert.throws(() => TaskGraph.fromTasks([task("a", "a")]), new CircularDependencyError([["a"]]));
  assert.throws(() => TaskGraph.fromRecords([task("a")], [{ from: "a", to: "a" }]), CircularDependencyError);
});

Deno.test("fromRecords() takes dependencies from the edges alone, and is strict about them", () => {
  const tasks = [task("a"), task("b", "ghost")];
  const graph = TaskGraph.fromRecords(tasks, [{ from: "a", to: "b", qualityRetention: 0.5 }]);
  assert.deepEqual(graph.dependencies("b"), ["a"]);
  assert.deepEqual(graph.toJSON().edges[0]?.attributes, { qualityRetention: 0.5 });
  const repeated = [{ from: "a", to: "b" }, { from: "a", to: "b" }];
  assert.throws(() => TaskGraph.fromRecords(tasks, repeated), new DuplicateEdgeError("a", "b"));
  assert.throws(() => TaskGraph.fromRecords(tasks, [{ from: "x", to: "b" }]), new TaskNotFoundError("x"));
});

Deno.test("TaskGraph changes tasks and dependencies, and throws for those that are not there", () => {
  const graph = TaskGraph.fromTasks([task("a"), task("b", "a"), task("c", "b")]);
  graph.updateTask("a", { risk: "critical" });
  assert.deepEqual(graph.getTask("a"), { name: "A", risk: "critical" });
  graph.updateEdgeAttributes("a", "b", { qualityRetention: 0.1 });
  assert.equal(graph.toJSON().edges[0]?.attributes.qualityRetention, 0.1);
  graph.removeDependency("a", "b");
  assert.deepEqual(graph.dependencies("b"), []);
  assert.throws(() => graph.removeDependency("a", "b"), InvalidInputError);
  assert.throws(() => graph.updateEdgeAttributes("a", "b", {}), /"b" does not depend on "a"/);
  graph.removeTask("b");
  assert.deepEqual([graph.taskCount, graph.toJSON().edges, graph.getTask("b")], [2, [], undefined]);
  for (
    const change of [
      () => graph.removeTask("x"),
      () => graph.updateTask("x", {}),
      () => graph.dependencies("x"),
      () => graph.dependents("x"),
      () => graph.addDependency("x", "a"),
      () => graph.addDependency("a", "x"),
      () => graph.removeDependency("a", "x"),
    ]
  ) assert.throws(change, new TaskNotFoundError("x"));
});

Deno.test("addDependency() throws when the key would be that of another dependency", () => {
  const graph = TaskGraph.fromTasks(["a->b", "c", "a", "b->c"].map((id) => task(id)));
  graph.addDependency("a->b", "c");
  assert.throws(() => graph.addDependency("a", "b->c"), InvalidInputError);
});

Deno.test("topologicalOrder() throws the cycles, and findCycles() and validateGraph() give them", () => {
  const graph = TaskGraph.fromTasks([task("a", "c"), task("b", "a"), task("c", "b"), task("d", "c")]);
  assert.equal(graph.hasCycles(), true);
  assert.deepEqual(graph.findCycles(), [["a", "b", "c"]]);
  assert.throws(() => graph.topologicalOrder(), new CircularDependencyError([["a", "b", "c"]]));
  assert.equal(graph.validateGraph()[0]?.message, "Tasks depend on themselves: a -> b -> c -> a");
  assert.deepEqual(new TaskGraph().topologicalOrder(), []);
});

Deno.test("topologicalOrder() has every task once, after all its prerequisites", () => {
  fc.assert(fc.property(acyclic, (tasks) => {
    const order = TaskGraph.fromTasks(tasks).topologicalOrder();
    assert.deepEqual(order.toSorted(), tasks.map(({ id }) => id).toSorted());
    for (const { id, dependsOn } of tasks) {
      for (const before of dependsOn) assert.ok(order.indexOf(before) < order.indexOf(id));
    }
  }));
});

Deno.test("findCycles() gives real cycles, and at least one exactly when there is no order", () => {
  fc.assert(fc.property(any, (tasks) => {
    const graph = TaskGraph.fromTasks(tasks);
    const found = graph.findCycles();
    for (const cycle of found) {
      assert.ok(cycle.length > 1);
      cycle.forEach((id, at) => assert.ok(graph.dependents(id).includes(cycle[(at + 1) % cycle.length] ?? "")));
    }
    // Taking away tasks that wait for nothing ends with nothing exactly when there is no cycle.
    let left = tasks;
    for (let before = -1; before !== left.length;) {
      before = left.length;
      const ids = new Set(left.map(({ id }) => id));
      left = left.filter(({ dependsOn }) => dependsOn.some((id) => ids.has(id)));
    }
    assert.equal(found.length > 0, left.length > 0);
  }));
});

Deno.test("findCycles() and topologicalOrder() manage a chain of 100,000 tasks", () => {
  const tasks = Array.from({ length: 100_000 }, (_, at) => at === 0 ? task("t0") : task(`t${at}`, `t${at - 1}`));
  const graph = TaskGraph.fromTasks(tasks);
  assert.equal(graph.topologicalOrder().length, 100_000);
  graph.addDependency("t99999", "t0");
  assert.equal(graph.findCycles()[0]?.length, 100_000);
});

Deno.test("fromJSON() gives back what toJSON() took, through JSON", () => {
  fc.assert(fc.property(any, (tasks) => {
    const json = TaskGraph.fromTasks(tasks).toJSON();
    const read: TaskGraphSerialized = JSON.parse(JSON.stringify(json));
    assert.deepEqual(TaskGraph.fromJSON(read).toJSON(), json);
    assert.deepEqual(new TaskGraph(read).export(), json);
  }));
});

Deno.test("fromJSON() adds to the graph it is given, makes keys anew, and throws for other shapes", () => {
  const target = TaskGraph.fromTasks([task("z")]);
  const json = TaskGraph.fromTasks([task("a"), task("b", "a")]).toJSON();
  const edges = json.edges.map((edge) => ({ ...edge, key: "geid_1" }));
  assert.equal(TaskGraph.fromJSON({ ...json, edges }, target), target);
  assert.deepEqual([target.taskCount, target.toJSON().edges[0]?.key], [3, "a->b"]);
  assert.throws(() => TaskGraph.fromJSON(json, target), DuplicateNodeError);
  const read = (text: string): TaskGraphSerialized => JSON.parse(text);
  assert.throws(() => TaskGraph.fromJSON(read(`{"nodes":[]}`)), InvalidInputError);
  const multi = read(JSON.stringify({ ...json, options: { ...json.options, multi: true } }));
  assert.throws(() => TaskGraph.fromJSON(multi), { field: "options.multi" });
});

Deno.test("subgraph() keeps the tasks that pass and the dependencies between them, and leaves the graph alone", () => {
  const graph = TaskGraph.fromTasks([task("a"), task("b", "a"), task("c", "b", "a")]);
  const part = graph.subgraph((id, { name }) => id !== "b" && name !== "Q");
  assert.deepEqual(part.toJSON().edges.map(({ key }) => key), ["a->c"]);
  part.updateTask("a", { name: "changed" });
  assert.deepEqual([graph.taskCount, graph.getTask("a")], [3, { name: "A" }]);
});

Deno.test("validateSchema() names the task, the field and the value that do not fit", () => {
  const odd: TaskInput[] = JSON.parse(`[{"id":"a","name":"A","dependsOn":[],"risk":"huge"}]`);
  const graph = TaskGraph.fromTasks([...odd, task("b", "a")]);
  graph.updateEdgeAttributes("a", "b", { qualityRetention: 2 });
  const findings = graph.validate();
  assert.deepEqual(findings, [
    {
      type: "schema",
      taskId: "a",
      field: "risk",
      message: `Risk is "huge": wanted "trivial", "low", "medium", "high", "critical"`,
      value: "huge",
    },
    {
      type: "schema",
      field: "a->b.qualityRetention",
      message: "Dependency a->b: QualityRetention is 2: wanted a number from 0 to 1",
      value: 2,
    },
  ]);
});
