import { CallError } from "@alkdev/operations";
import { type TObject, Type } from "@alkdev/typebox";
import type { Caller } from "../runs/mod.ts";
import type { BoardRuns } from "./ports.ts";
import type { BoardTasks, Tasks } from "./tasks.ts";
import type { BoardGraph } from "./task_graph.ts";

const amount = Type.Optional(Type.Integer({ minimum: 1 }));
const closed = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.Optional(Type.String({ minLength: 1, maxLength }));

/** How a board is worked off. */
export const BoardRunOptionsSchema: TObject = Type.Object({
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, description: "Tasks at once (default: 4)" })),
  attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 10, description: "Of each task, at most (default: 2)" })),
  timeoutMs: Type.Optional(
    Type.Integer({ minimum: 1_000, maximum: 6 * 86_400_000, description: "Of one session (default: an hour)" }),
  ),
  role: Type.Optional(Type.String({ minLength: 1, maxLength: 80, description: "Default: implementer" })),
  review: Type.Optional(Type.Boolean({ description: "Another session judges each change (default: true)" })),
  reviewRole: Type.Optional(Type.String({ minLength: 1, maxLength: 80, description: "Default: reviewer" })),
  model: text(400),
  merge: Type.Optional(Type.Boolean({ description: "Merge what is approved (default: where there are worktrees)" })),
  workspace: Type.Optional(Type.Object({
    spoke: text(100),
    repository: text(1_000),
    from: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: "^[^-]" })),
    directory: text(1_000),
  }, { ...closed, description: "A git worktree for each task on a dev spoke; absent: none" })),
  budget: Type.Optional(Type.Object({ calls: amount, tokens: amount, costMicros: amount, wallMs: amount }, {
    ...closed,
    description: "Of each session with all that is spawned below it",
  })),
}, closed);

export interface BoardRunOptions {
  readonly concurrency?: number;
  readonly attempts?: number;
  readonly timeoutMs?: number;
  readonly role?: string;
  readonly review?: boolean;
  readonly reviewRole?: string;
  readonly model?: string;
  readonly merge?: boolean;
  readonly workspace?: {
    readonly spoke?: string;
    readonly repository?: string;
    readonly from?: string;
    readonly directory?: string;
  };
  readonly budget?: Readonly<Record<string, number>>;
}

/** What `workflows/task_board.tsx` is given. */
export interface BoardRunInput {
  readonly board: string;
  readonly concurrency: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly role: string;
  readonly review: boolean;
  readonly reviewRole: string;
  readonly model: string | null;
  readonly merge: boolean;
  readonly workspace: NonNullable<BoardRunOptions["workspace"]> | null;
  readonly budget: Readonly<Record<string, number>> | null;
  /** What is not completed, each after what it depends on. `key` is its node's. */
  readonly tasks: readonly {
    readonly id: string;
    readonly key: string;
    readonly name: string;
    /** Keys of nodes. */
    readonly after: readonly string[];
  }[];
}

/** What a run of a board is expected to be. Costs are in the units of taskgraph: 1 to 5 for a task's scope. */
export interface BoardEstimate {
  readonly tasks: number;
  readonly completed: number;
  /** Not completed. */
  readonly left: number;
  readonly groups: readonly (readonly string[])[];
  readonly criticalPath: readonly string[];
  readonly expectedCost: number;
  readonly expectedTokens: number;
  /** That no task fails at its first attempt, 0 to 1. */
  readonly probability: number;
  readonly riskPath: readonly string[];
  readonly risk: number;
  readonly bottlenecks: readonly string[];
  readonly decompose: readonly { readonly id: string; readonly reasons: readonly string[] }[];
  /** Why it cannot be run; empty: it can. */
  readonly problems: readonly string[];
}

const DEFAULTS = { concurrency: 4, attempts: 2, timeoutMs: 3_600_000, role: "implementer", reviewRole: "reviewer" };

/** What is to be expected of the rest of a board. Pure. */
export function estimateBoard(
  { tasks, graph }: Pick<BoardTasks, "tasks"> & { readonly graph: BoardGraph },
): BoardEstimate {
  const left = tasks.filter(({ status }) => status !== "completed");
  const problems = [
    ...graph.problems().map(({ message }) => message),
    ...left.filter(({ status }) => status === "in-progress").map(({ id, runId }) =>
      `Task "${id}" is in progress${runId === null ? "" : ` by run ${runId}`}`
    ),
  ];
  const known = { tasks: tasks.length, completed: tasks.length - left.length, left: left.length, problems };
  if (graph.problems().some(({ category }) => category === "cycle")) {
    return { ...known, ...NOTHING };
  }
  const cost = graph.cost();
  const { path, totalRisk } = graph.risk();
  const isLeft = new Set(left.map(({ id }) => id));
  return {
    ...known,
    groups: graph.parallelGroups().map((group) => group.filter((id) => isLeft.has(id))).filter(({ length }) =>
      length > 0
    ),
    criticalPath: graph.criticalPath("cost"),
    expectedCost: cost.totalEv,
    expectedTokens: graph.tokens(),
    probability: cost.tasks.reduce((product, { pIntrinsic }) => product * pIntrinsic, 1),
    riskPath: path,
    risk: totalRisk,
    bottlenecks: graph.bottlenecks(5).map(({ taskId }) => taskId),
    decompose: graph.decompose().filter(({ id, shouldDecompose }) => shouldDecompose && isLeft.has(id))
      .map(({ id, reasons }) => ({ id, reasons })),
  };
}

const NOTHING = {
  groups: [],
  criticalPath: [],
  expectedCost: 0,
  expectedTokens: 0,
  probability: 0,
  riskPath: [],
  risk: 0,
  bottlenecks: [],
  decompose: [],
};

/** The rest of a board as the input of its run. @throws {CallError} `TASKS_INVALID`, `BOARD_BUSY`, `BOARD_DONE` */
export function boardRunInput(
  { board, tasks, graph }: BoardTasks & { readonly graph: BoardGraph },
  options: BoardRunOptions,
): BoardRunInput {
  const [problem] = graph.problems();
  if (problem !== undefined) throw new CallError("TASKS_INVALID", problem.message, { problems: graph.problems() });
  const busy = tasks.find(({ status }) => status === "in-progress");
  if (busy !== undefined) {
    const by = busy.runId === null ? "" : ` by run ${busy.runId}`;
    throw new CallError("BOARD_BUSY", `Task "${busy.id}" is in progress${by}: wanted a board that nobody works on`, {
      id: busy.id,
      runId: busy.runId,
    });
  }
  const left = new Map(tasks.filter(({ status }) => status !== "completed").map((task) => [task.id, task]));
  if (left.size === 0) {
    throw new CallError("BOARD_DONE", `Every task of board "${board.name}" is completed`, { board: board.name });
  }
  const keys = nodeKeys([...left.keys()]);
  const { workspace = null, budget = null, model = null, review = true, merge = workspace !== null } = options;
  const { concurrency, attempts, timeoutMs, role, reviewRole } = { ...DEFAULTS, ...options };
  return {
    board: board.name,
    concurrency,
    attempts,
    timeoutMs,
    role,
    review,
    reviewRole,
    model,
    merge: merge && workspace !== null,
    workspace,
    budget,
    tasks: graph.topo().flatMap((id) => {
      const task = left.get(id);
      if (task === undefined) return [];
      const after = task.dependsOn.flatMap((one) => keys.get(one) ?? []);
      return [{ id, key: keys.get(id) ?? id, name: task.name, after }];
    }),
  };
}

/** Ids as keys of nodes, each its own. */
function nodeKeys(ids: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>(["tasks", "always", "settle"]);
  return new Map(ids.map((id) => {
    const plain = `t-${id.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
    let key = plain;
    for (let n = 2; taken.has(key); n++) key = `${plain}__${n}`;
    taken.add(key);
    return [id, key];
  }));
}

/** Starts a run of `task_board` over what is left of a board. Codes as of {@linkcode boardRunInput}. */
export async function runBoard(
  { tasks, runs, caller, board, options }: {
    readonly tasks: Tasks;
    readonly runs: Pick<BoardRuns, "start">;
    readonly caller: Caller;
    readonly board: string;
    readonly options: BoardRunOptions;
  },
): Promise<{ readonly id: string; readonly status: string }> {
  const input = boardRunInput(await tasks.graph({ caller, board }), options);
  return await runs.start({ caller, input, labels: { board } });
}
