import { CallError, defineOperation, type OperationContext, type OperationRegistration } from "@alkdev/operations";
import { type TSchema, Type } from "@alkdev/typebox";
import type { Caller } from "../runs/mod.ts";
import { BoardName, TaskId } from "./schemas.ts";
import type { CallOnSpoke } from "./spoke_files.ts";
import type { Task } from "./task.ts";
import type { Tasks } from "./tasks.ts";

/** What the steps of a board's run work with. */
export interface StepsOptions {
  readonly tasks: Tasks;
  /** On whose behalf a call is made. */
  readonly callerOf: (context: OperationContext) => Caller;
  readonly call: CallOnSpoke;
}

const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const closed = { additionalProperties: false } as const;
const place = { board: BoardName, id: TaskId };
const Failure = nullable(Type.Object({ code: Type.String(), message: Type.String() }));
/** One of the sessions that `coord.wait` gives. */
const Session = Type.Object({
  id: Type.String(),
  sessionId: nullable(Type.String()),
  status: Type.String(),
  branch: nullable(Type.String()),
  directory: nullable(Type.String()),
  spoke: nullable(Type.String()),
  error: Failure,
  result: nullable(Type.String()),
});
interface SessionEnd {
  readonly id: string;
  readonly sessionId: string | null;
  readonly status: string;
  readonly branch: string | null;
  readonly directory: string | null;
  readonly spoke: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly result: string | null;
}
const head = {
  namespace: "task",
  version: "1.0.0",
  type: "mutation",
  tags: ["tasks"],
  accessControl: { requiredScopes: ["task:write"] },
} as const;

/** The steps of `workflows/task_board.tsx` and `workflows/board_task.tsx`. */
export function taskSteps(options: StepsOptions): readonly OperationRegistration[] {
  return [begin(options), check(), verdict(), merge(options), finish(options), fail(options), settle(options)];
}

function begin({ tasks, callerOf }: StepsOptions): OperationRegistration {
  return defineOperation({
    ...head,
    name: "begin",
    title: "Set a task to work",
    description: "Counts an attempt of the run that calls it, and gives what whoever does the task is told.",
    inputSchema: Type.Object(place, closed),
    outputSchema: Type.Object({
      taskId: Type.String(),
      name: Type.String(),
      attempt: Type.Integer(),
      prompt: Type.String(),
      review: Type.String(),
    }),
    async handler({ board, id }, context) {
      const caller = callerOf(context);
      const runId = runOf(context);
      const found = await tasks.tasks({ caller, board });
      const task = found.tasks.find((one) => one.id === id) ?? await tasks.task({ caller, board, id });
      if (task.status === "completed") {
        throw new CallError("TASK_CHANGED", `Task "${id}" is completed already`, { id, status: task.status });
      }
      if (task.status === "in-progress" && task.runId !== runId) {
        throw new CallError("BOARD_BUSY", `Task "${id}" is in progress by ${task.runId ?? "somebody"}`, { id });
      }
      const begun = await tasks.updateStatus({
        caller,
        board,
        id,
        status: "in-progress",
        from: ["pending", "blocked", "failed", "in-progress"],
        begin: { runId, key: context.requestId ?? crypto.randomUUID() },
      });
      const before = found.tasks.filter((one) => task.dependsOn.includes(one.id));
      return {
        taskId: `${board}/${id}`,
        name: task.name,
        attempt: begun.attempts,
        prompt: promptOf(task, before, task.status === "failed" ? task.note : null),
        review: reviewPromptOf(task),
      };
    },
  });
}

function promptOf(task: Task, before: readonly Task[], failure: string | null): string {
  const parts = [`# Task ${task.id}: ${task.name}`, task.body.trim()];
  if (before.length > 0) {
    const lines = before.map(({ id, name, note }) => `- ${id}: ${name}${note === null ? "" : ` (${note})`}`);
    parts.push(`Done before, and merged:\n${lines.join("\n")}`);
  }
  if (failure !== null) parts.push(`An earlier attempt has failed: ${failure}`);
  return parts.filter((part) => part !== "").join("\n\n");
}

function reviewPromptOf({ id, name, body }: Task): string {
  return `# Review of task ${id}: ${name}\n\n${body.trim()}\n\nThe branch you are on holds the change. Judge it.`;
}

function check(): OperationRegistration {
  return defineOperation({
    ...head,
    name: "check",
    title: "See what a session came to",
    description: "Fails unless the session has completed.",
    inputSchema: Type.Object({ ...place, done: Type.Boolean(), session: Session }, closed),
    outputSchema: Type.Object({
      mappingId: Type.String(),
      sessionId: nullable(Type.String()),
      branch: nullable(Type.String()),
      directory: nullable(Type.String()),
      spoke: nullable(Type.String()),
      result: Type.String(),
    }),
    handler({ id, done, session: given }) {
      const session = given as SessionEnd; // checked by the registry
      if (!done) throw new CallError("TASK_TIMEOUT", `The session of task "${id}" did not end in time`, { id });
      if (session.status !== "completed") {
        const why = session.error === null
          ? "it said nothing of why"
          : `${session.error.code}: ${session.error.message}`;
        throw new CallError("TASK_FAILED", `The session of task "${id}" was ${session.status}: ${why}`, { id });
      }
      const { id: mappingId, sessionId, branch, directory, spoke, result } = session;
      return { mappingId, sessionId, branch, directory, spoke, result: result ?? "" };
    },
  });
}

function verdict(): OperationRegistration {
  return defineOperation({
    ...head,
    name: "verdict",
    title: "See what the reviewer says",
    description: "Fails unless the review's first line is APPROVED.",
    inputSchema: Type.Object({ ...place, done: Type.Boolean(), session: Session }, closed),
    outputSchema: Type.Object({ approved: Type.Boolean(), text: Type.String() }),
    handler({ id, done, session: given }) {
      const session = given as SessionEnd; // checked by the registry
      if (!done || session.status !== "completed") {
        const why = session.error === null ? session.status : `${session.error.code}: ${session.error.message}`;
        throw new CallError("TASK_FAILED", `The review of task "${id}" did not come to an end: ${why}`, { id });
      }
      const text = (session.result ?? "").trim();
      const [first = ""] = text.split("\n", 1);
      if (first.trim().replaceAll(/[*_#`.]/g, "").trim() === "APPROVED") return { approved: true, text };
      throw new CallError("TASK_REJECTED", `The review of task "${id}" asks for changes: ${text.slice(0, 2_000)}`, {
        id,
      });
    },
  });
}

const Worktree = nullable(Type.String());

function merge({ callerOf, call }: StepsOptions): OperationRegistration {
  return defineOperation({
    ...head,
    name: "merge",
    title: "Merge a task's branch",
    description: "Commits what its session has left uncommitted, merges its branch, and removes the worktrees.",
    inputSchema: Type.Object({
      ...place,
      name: Type.String(),
      repository: nullable(Type.String()),
      spoke: Type.String(),
      branch: Type.String({ pattern: "^[^-]" }),
      directory: Worktree,
      reviewed: nullable(Type.Object({ spoke: nullable(Type.String()), directory: Worktree })),
    }, closed),
    outputSchema: Type.Object({ hash: Type.String(), merged: Type.Boolean() }),
    async handler({ board, id, name, repository, spoke, branch, directory, reviewed }, context) {
      const caller = callerOf(context);
      const given = context.signal === undefined ? {} : { signal: context.signal };
      const on = (where: string, operationId: string, input: Readonly<Record<string, unknown>>) =>
        call({ caller, spoke: where, operationId, input, ...given });
      const path = typeof repository === "string" ? { path: repository } : {};
      const message = `${name}\n\nTask: ${board}/${id}`;
      if (typeof directory === "string") await commitRest(on, spoke, directory, message);
      const merged = await on(spoke, "git.merge", { ...path, branch, message });
      const trees = [
        { spoke, directory },
        ...(reviewed === null ? [] : [reviewed as { spoke: string | null; directory: string | null }]),
      ];
      for (const tree of trees) {
        if (typeof tree.spoke !== "string" || typeof tree.directory !== "string") continue;
        await on(tree.spoke, "git.worktreeRemove", { ...path, worktree: tree.directory }).catch(ignoreLeft);
      }
      return merged as { hash: string; merged: boolean };
    },
  });
}

/** What the session has left in its worktree belongs to its change. */
async function commitRest(
  on: (spoke: string, operationId: string, input: Readonly<Record<string, unknown>>) => Promise<unknown>,
  spoke: string,
  directory: string,
  message: string,
): Promise<void> {
  try {
    const { files } = await on(spoke, "git.status", { path: directory }) as { files: readonly unknown[] };
    if (files.length > 0) await on(spoke, "git.commit", { path: directory, message });
  } catch (error) {
    // Merged and taken away by an earlier attempt of this call, which nobody heard the end of.
    if (error instanceof CallError && error.code === "NOT_FOUND") return;
    throw error;
  }
}

/** A worktree that cannot be removed is seen by people; the merge is done. */
function ignoreLeft(error: unknown): void {
  if (error instanceof CallError && ["NOT_FOUND", "WORKTREE_DIRTY", "GIT_FAILED"].includes(error.code)) return;
  throw error;
}

function finish({ tasks, callerOf }: StepsOptions): OperationRegistration {
  return defineOperation({
    ...head,
    name: "finish",
    title: "Complete a task",
    description: "Says that a task is completed, and by what.",
    inputSchema: Type.Object({ ...place, hash: nullable(Type.String()), result: nullable(Type.String()) }, closed),
    outputSchema: Type.Object({ id: Type.String(), status: Type.String(), note: nullable(Type.String()) }),
    async handler({ board, id, hash }, context) {
      const note = typeof hash === "string" ? `merged as ${hash.slice(0, 12)}` : null;
      const asked = { caller: callerOf(context), board, id, note };
      await tasks.updateStatus({ ...asked, status: "completed", from: ["in-progress", "completed"] });
      return { id, status: "completed", note };
    },
  });
}

function fail({ tasks, callerOf }: StepsOptions): OperationRegistration {
  return defineOperation({
    ...head,
    name: "fail",
    title: "Fail a task",
    description: "Says that a task has failed and why, and fails itself with the first of the errors.",
    inputSchema: Type.Object({ ...place, errors: Type.Array(Failure) }, closed),
    outputSchema: Type.Unknown(),
    async handler({ board, id, errors }, context) {
      const known = errors as readonly ({ readonly code: string; readonly message: string } | null)[]; // checked above
      const first = known.find((one) => one !== null && one.code !== "ABORTED") ?? known.find((one) => one !== null);
      const { code, message } = first ?? { code: "TASK_FAILED", message: `Task "${id}" has failed` };
      const note = `${code}: ${message}`.slice(0, 4_000);
      const caller = callerOf(context);
      const task = await tasks.task({ caller, board, id });
      // Whoever has it now says what becomes of it.
      const isOurs = code !== "BOARD_BUSY" && task.status === "in-progress" && task.runId === runOf(context);
      if (isOurs) await tasks.updateStatus({ caller, board, id, status: "failed", note, from: ["in-progress"] });
      throw new CallError(code, message, { id });
    },
  });
}

function settle({ tasks, callerOf }: StepsOptions): OperationRegistration {
  const ids = Type.Array(TaskId);
  return defineOperation({
    ...head,
    name: "settle",
    title: "Say what became of a board",
    description: "Marks as blocked what was not begun because a task before it has failed, and sums up.",
    inputSchema: Type.Object({ board: BoardName, ids: Type.Array(TaskId, { maxItems: 2_000 }) }, closed),
    outputSchema: Type.Object({
      completed: ids,
      failed: Type.Array(Type.Object({ id: Type.String(), note: nullable(Type.String()) })),
      blocked: Type.Array(Type.Object({ id: Type.String(), note: nullable(Type.String()) })),
      left: ids,
    }),
    async handler({ board, ids }, context) {
      const caller = callerOf(context);
      const { tasks: all, graph } = await tasks.graph({ caller, board });
      const after = new Map<string, string>();
      for (const task of all) {
        if (task.status !== "failed") continue;
        for (const id of graph.descendants(task.id)) if (!after.has(id)) after.set(id, task.id);
      }
      const wanted = new Set(ids);
      const ended = await Promise.all(
        all.filter(({ id }) => wanted.has(id)).map((task) => {
          const failed = after.get(task.id);
          if (task.status !== "pending" || failed === undefined) return task;
          const change = {
            status: "blocked",
            from: ["pending"],
            note: `Task "${failed}" before it has failed`,
          } as const;
          return tasks.updateStatus({ caller, board, id: task.id, ...change });
        }),
      );
      const noted = (status: Task["status"]) =>
        ended.filter((task) => task.status === status).map(({ id, note }) => ({ id, note }));
      return {
        completed: noted("completed").map(({ id }) => id),
        failed: noted("failed"),
        blocked: noted("blocked"),
        left: ended.filter(({ status }) => status === "pending" || status === "in-progress").map(({ id }) => id),
      };
    },
  });
}

function runOf({ metadata }: OperationContext): string | null {
  const runId = metadata?.["runId"];
  return typeof runId === "string" ? runId : null;
}
