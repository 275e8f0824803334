import { CallError } from "@alkdev/operations";
import {
  bottlenecks,
  criticalPath,
  parallelGroups,
  resolveDefaults,
  riskDistribution,
  type RiskDistributionResult,
  riskPath,
  type RiskPathResult,
  shouldDecomposeTask,
  TaskGraph,
  TaskgraphError,
  toNodeAttributes,
  weightedCriticalPath,
  workflowCost,
  type WorkflowCostOptions,
  type WorkflowCostResult,
} from "@alkdev/taskgraph";
import { type Task, toTaskInput } from "./task.ts";

export type PathWeight = "tasks" | "cost" | "risk";

/** What is asked of a board's graph. Each throws `TASKS_INVALID` where the tasks have no order. */
export class BoardGraph {
  readonly #graph: TaskGraph;
  readonly #tasks: ReadonlyMap<string, Task>;

  /** @throws {CallError} `TASKS_INVALID` for a task that depends on itself */
  constructor(tasks: readonly Task[]) {
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#graph = asking(() => TaskGraph.fromTasks(tasks.map(toTaskInput)));
  }

  /** Cycles, dependencies on tasks that are not there. */
  problems(): readonly { readonly category: string; readonly taskId: string | null; readonly message: string }[] {
    return this.#graph.validateGraph().map(({ category, taskId = null, message }) => ({ category, taskId, message }));
  }

  /** Direct ones; `missing` are not there. */
  deps(id: string): {
    readonly dependencies: readonly string[];
    readonly dependents: readonly string[];
    readonly missing: readonly string[];
    readonly ready: boolean;
  } {
    const all = this.#tasks.get(id)?.dependsOn ?? [];
    const missing = all.filter((one) => !this.#tasks.has(one));
    const ready = all.every((one) => this.#tasks.get(one)?.status === "completed");
    const dependents = this.#graph.dependents(id).toSorted();
    return { dependencies: all.filter((one) => this.#tasks.has(one)), dependents, missing, ready };
  }

  /** All that comes after a task, directly or not. */
  descendants(id: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (const todo = [id]; todo.length > 0;) {
      for (const next of this.#graph.dependents(todo.pop() ?? "")) {
        if (!found.has(next)) {
          found.add(next);
          todo.push(next);
        }
      }
    }
    return found;
  }

  topo(): readonly string[] {
    return asking(() => this.#graph.topologicalOrder());
  }

  parallelGroups(): readonly (readonly string[])[] {
    return asking(() => parallelGroups(this.#graph));
  }

  criticalPath(weight: PathWeight = "tasks"): readonly string[] {
    return asking(() => {
      if (weight === "tasks") return criticalPath(this.#graph);
      return weightedCriticalPath(this.#graph, (_id, attributes) => {
        const { costEstimate, impactWeight, riskWeight } = resolveDefaults(attributes);
        return weight === "cost" ? costEstimate * impactWeight : riskWeight * impactWeight;
      });
    });
  }

  bottlenecks(limit: number): readonly { readonly taskId: string; readonly score: number }[] {
    return bottlenecks(this.#graph).slice(0, limit).filter(({ score }) => score > 0);
  }

  risk(): RiskPathResult & { readonly distribution: RiskDistributionResult } {
    return asking(() => ({ ...riskPath(this.#graph), distribution: riskDistribution(this.#graph) }));
  }

  cost(options: WorkflowCostOptions = {}): WorkflowCostResult {
    return asking(() => workflowCost(this.#graph, options));
  }

  decompose(): readonly {
    readonly id: string;
    readonly shouldDecompose: boolean;
    readonly reasons: readonly string[];
  }[] {
    return [...this.#tasks.values()].map((task) => ({
      id: task.id,
      ...shouldDecomposeTask(toNodeAttributes(toTaskInput(task))),
    }));
  }

  /** Tokens that what is left may take, by its scopes. */
  tokens(): number {
    const left = [...this.#tasks.values()].filter(({ status }) => status !== "completed");
    return left.reduce((sum, task) => sum + resolveDefaults(toNodeAttributes(toTaskInput(task))).tokenEstimate, 0);
  }
}

function asking<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof TaskgraphError)) throw error;
    throw new CallError("TASKS_INVALID", error.message, undefined, { cause: error });
  }
}
