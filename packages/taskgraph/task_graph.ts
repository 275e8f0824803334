import { DirectedGraph } from "graphology";
import { topologicalGenerations } from "graphology-dag";
import { cycles } from "./cycles.ts";
import {
  CircularDependencyError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  TaskNotFoundError,
} from "./error/taskgraph_error.ts";
import type { GraphValidationError, ValidationError } from "./error/validation_error.ts";
import { TaskGraphEdgeAttributes, TaskGraphNodeAttributes } from "./schema/attributes.ts";
import { TaskGraphSerialized } from "./schema/serialized_graph.ts";
import type { DependencyEdge, TaskInput } from "./schema/task_input.ts";
import { schemaIssues } from "./schema_issues.ts";
import { toNodeAttributes } from "./node_attributes.ts";

/** Of dependencies that state none. */
const DEFAULT_QUALITY_RETENTION = 0.9;

/**
 * Tasks, and which must be done before which. Edges go from the prerequisite to the dependent; their keys are
 * `prerequisite->dependent`. Cycles of two or more tasks are allowed, and found by {@linkcode TaskGraph.findCycles} and
 * {@linkcode TaskGraph.validateGraph}; a task that waits for itself is not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { TaskGraph } from "@alkdev/taskgraph";
 *
 * const graph = TaskGraph.fromTasks([
 *   { id: "design", name: "Design", dependsOn: [] },
 *   { id: "write", name: "Write", dependsOn: ["design"] },
 * ]);
 * graph.addTask("review", { name: "Review", risk: "low" });
 * graph.addDependency("write", "review");
 * assert.deepEqual(graph.topologicalOrder(), ["design", "write", "review"]);
 * assert.deepEqual(graph.validate(), []);
 * ```
 */
export class TaskGraph {
  readonly #graph: DirectedGraph<TaskGraphNodeAttributes, TaskGraphEdgeAttributes> = new DirectedGraph({
    multi: false,
    allowSelfLoops: false,
  });
  /** Nodes that exist only because a task of `fromTasks` names them. */
  readonly #placeholders = new Set<string>();

  /** @throws {InvalidInputError} as {@linkcode TaskGraph.fromJSON} */
  constructor(serialized?: TaskGraphSerialized) {
    if (serialized !== undefined) this.#load(serialized);
  }

  /**
   * A graph of tasks by their `dependsOn`. A dependency on an unknown task makes a node that has the id for its name, which
   * {@linkcode TaskGraph.validateGraph} reports; one that is stated twice counts once.
   *
   * @throws {DuplicateNodeError}
   * @throws {CircularDependencyError} when a task depends on itself
   */
  static fromTasks(tasks: Iterable<TaskInput>): TaskGraph {
    const graph = new TaskGraph();
    const list = [...tasks];
    for (const task of list) graph.addTask(task.id, toNodeAttributes(task));
    for (const { id, dependsOn } of list) {
      for (const prerequisite of new Set(dependsOn)) {
        if (!graph.#graph.hasNode(prerequisite)) graph.#addPlaceholder(prerequisite);
        graph.addDependency(prerequisite, id);
      }
    }
    return graph;
  }

  /**
   * A graph of tasks by dependencies of their own; `dependsOn` is not read.
   *
   * @throws {DuplicateNodeError}
   * @throws {DuplicateEdgeError}
   * @throws {TaskNotFoundError} when a dependency names an unknown task
   * @throws {CircularDependencyError} when a task depends on itself
   */
  static fromRecords(tasks: Iterable<TaskInput>, edges: Iterable<DependencyEdge>): TaskGraph {
    const graph = new TaskGraph();
    for (const task of tasks) graph.addTask(task.id, toNodeAttributes(task));
    for (const { from, to, qualityRetention } of edges) graph.addDependency(from, to, qualityRetention);
    return graph;
  }

  /**
   * A graph from what {@linkcode TaskGraph.toJSON} gave; keys of edges are made anew.
   *
   * @param target takes the tasks in, beside those that it has
   * @throws {InvalidInputError} when the data has not the shape
   * @throws {TaskgraphError} as adding its tasks and dependencies one by one does
   */
  static fromJSON(data: TaskGraphSerialized, target: TaskGraph = new TaskGraph()): TaskGraph {
    target.#load(data);
    return target;
  }

  /** The graph inside, for algorithms of graphology. To be read only. */
  get raw(): DirectedGraph<TaskGraphNodeAttributes, TaskGraphEdgeAttributes> {
    return this.#graph;
  }

  /** Adds a task, or fills in one that others depend on already. @throws {DuplicateNodeError} */
  addTask(id: string, attributes: TaskGraphNodeAttributes): void {
    if (this.#placeholders.delete(id)) {
      this.#graph.replaceNodeAttributes(id, { ...attributes });
      return;
    }
    if (this.#graph.hasNode(id)) throw new DuplicateNodeError(id);
    this.#graph.addNode(id, { ...attributes });
  }

  /**
   * @param qualityRetention how much of the dependent's quality survives a failure of the prerequisite, 0 to 1
   * @throws {TaskNotFoundError}
   * @throws {DuplicateEdgeError}
   * @throws {CircularDependencyError} when both are the same task
   */
  addDependency(
    prerequisite: string,
    dependent: string,
    qualityRetention: number = DEFAULT_QUALITY_RETENTION,
  ): void {
    this.#connect(prerequisite, dependent, { qualityRetention });
  }

  /** Drops a task and its dependencies. @throws {TaskNotFoundError} */
  removeTask(id: string): void {
    this.#require(id);
    this.#graph.dropNode(id);
    this.#placeholders.delete(id);
  }

  /** @throws {TaskNotFoundError} @throws {InvalidInputError} when there is no such dependency */
  removeDependency(prerequisite: string, dependent: string): void {
    this.#graph.dropEdge(this.#edge(prerequisite, dependent));
  }

  /** Sets some attributes. @throws {TaskNotFoundError} */
  updateTask(id: string, partial: Partial<TaskGraphNodeAttributes>): void {
    this.#require(id);
    this.#graph.mergeNodeAttributes(id, partial);
  }

  /** Sets some attributes of a dependency. @throws {TaskNotFoundError} @throws {InvalidInputError} when there is none */
  updateEdgeAttributes(prerequisite: string, dependent: string, partial: Partial<TaskGraphEdgeAttributes>): void {
    this.#graph.mergeEdgeAttributes(this.#edge(prerequisite, dependent), partial);
  }

  hasCycles(): boolean {
    return this.findCycles().length > 0;
  }

  /** A cycle for every dependency that closes one, each in the order of work, the first id not repeated. */
  findCycles(): string[][] {
    return cycles(this.#graph.nodes(), (id) => this.#graph.outNeighbors(id));
  }

  /** Ids, each after all its prerequisites. @throws {CircularDependencyError} */
  topologicalOrder(): string[] {
    return this.generations().flat();
  }

  /** Ids by how many tasks must come before, one after the other. @throws {CircularDependencyError} */
  generations(): string[][] {
    const found = this.findCycles();
    if (found.length > 0) throw new CircularDependencyError(found);
    return this.#graph.order === 0 ? [] : topologicalGenerations(this.#graph);
  }

  /** Ids of the direct prerequisites. @throws {TaskNotFoundError} */
  dependencies(id: string): string[] {
    this.#require(id);
    return this.#graph.inNeighbors(id);
  }

  /** Ids of the tasks that directly wait for this one. @throws {TaskNotFoundError} */
  dependents(id: string): string[] {
    this.#require(id);
    return this.#graph.outNeighbors(id);
  }

  get taskCount(): number {
    return this.#graph.order;
  }

  getTask(id: string): TaskGraphNodeAttributes | undefined {
    return this.#graph.hasNode(id) ? this.#graph.getNodeAttributes(id) : undefined;
  }

  /** A new graph of the tasks that pass, and of the dependencies between them. */
  subgraph(filter: (id: string, attributes: TaskGraphNodeAttributes) => boolean): TaskGraph {
    const part = new TaskGraph();
    this.#graph.forEachNode((id, attributes) => {
      if (!filter(id, attributes)) return;
      part.addTask(id, attributes);
      if (this.#placeholders.has(id)) part.#placeholders.add(id);
    });
    this.#graph.forEachEdge((_key, attributes, source, target) => {
      if (part.#graph.hasNode(source) && part.#graph.hasNode(target)) part.#connect(source, target, attributes);
    });
    return part;
  }

  /** Attributes that do not fit their schemas. */
  validateSchema(): ValidationError[] {
    const tasks = this.#graph.mapNodes((taskId, attributes) =>
      schemaIssues(TaskGraphNodeAttributes, attributes).map((issue) => ({ type: "schema" as const, taskId, ...issue }))
    );
    const edges = this.#graph.mapEdges((key, attributes) =>
      schemaIssues(TaskGraphEdgeAttributes, attributes).map(({ field, message, value }) => ({
        type: "schema" as const,
        field: `${key}.${field}`,
        message: `Dependency ${key}: ${message}`,
        value,
      }))
    );
    return [...tasks.flat(), ...edges.flat()];
  }

  /** Cycles, and dependencies on tasks that nobody has written. The latter are not known of a graph that was read from JSON. */
  validateGraph(): GraphValidationError[] {
    const circular = this.findCycles().map((cycle): GraphValidationError => ({
      type: "graph",
      category: "cycle",
      message: new CircularDependencyError([cycle]).message,
      details: { cycle },
    }));
    const dangling = [...this.#placeholders].flatMap((prerequisite) =>
      this.#graph.outNeighbors(prerequisite).map((taskId): GraphValidationError => ({
        type: "graph",
        category: "dangling-reference",
        taskId,
        message: `Task "${taskId}" depends on "${prerequisite}", which is not there`,
        details: { prerequisite },
      }))
    );
    return [...circular, ...dangling];
  }

  /** {@linkcode TaskGraph.validateSchema} and {@linkcode TaskGraph.validateGraph}. */
  validate(): (ValidationError | GraphValidationError)[] {
    return [...this.validateSchema(), ...this.validateGraph()];
  }

  /** The graph as JSON, in order of adding. */
  export(): TaskGraphSerialized {
    return {
      attributes: { ...this.#graph.getAttributes() },
      options: { type: "directed", multi: false, allowSelfLoops: false },
      nodes: this.#graph.mapNodes((key, attributes) => ({ key, attributes: { ...attributes } })),
      edges: this.#graph.mapEdges((key, attributes, source, target) => ({
        key,
        source,
        target,
        attributes: { ...attributes },
      })),
    };
  }

  /** The same as {@linkcode TaskGraph.export}. */
  toJSON(): TaskGraphSerialized {
    return this.export();
  }

  #load(data: TaskGraphSerialized): void {
    const [issue] = schemaIssues(TaskGraphSerialized, data);
    if (issue !== undefined) throw new InvalidInputError(issue.field, issue.message);
    this.#graph.mergeAttributes(data.attributes);
    for (const { key, attributes } of data.nodes) this.addTask(key, attributes);
    for (const { source, target, attributes } of data.edges) this.#connect(source, target, attributes);
  }

  #addPlaceholder(id: string): void {
    this.#graph.addNode(id, { name: id });
    this.#placeholders.add(id);
  }

  #connect(prerequisite: string, dependent: string, attributes: TaskGraphEdgeAttributes): void {
    this.#require(prerequisite);
    this.#require(dependent);
    if (prerequisite === dependent) throw new CircularDependencyError([[dependent]]);
    if (this.#graph.hasEdge(prerequisite, dependent)) throw new DuplicateEdgeError(prerequisite, dependent);
    const key = `${prerequisite}->${dependent}`;
    if (this.#graph.hasEdge(key)) {
      throw new InvalidInputError(
        "dependency",
        `Dependencies "${key}" cannot be told apart: ids must not contain "->"`,
      );
    }
    this.#graph.addEdgeWithKey(key, prerequisite, dependent, { ...attributes });
  }

  #edge(prerequisite: string, dependent: string): string {
    this.#require(prerequisite);
    this.#require(dependent);
    const edge = this.#graph.edge(prerequisite, dependent);
    if (edge !== undefined) return edge;
    throw new InvalidInputError("dependency", `Task "${dependent}" does not depend on "${prerequisite}"`);
  }

  #require(id: string): void {
    if (!this.#graph.hasNode(id)) throw new TaskNotFoundError(id);
  }
}
