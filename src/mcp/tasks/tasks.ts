import { ProtocolError, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import { CallError } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { RunEvent, RunView } from "../../runs/mod.ts";
import { isObject } from "../json.ts";
import type { McpDeps, McpTimes } from "../ports.ts";
import { tasksMissing } from "../protocol_error.ts";
import { assertMayOn, mayOn } from "../rights.ts";
import { abortRun } from "../runs/follow_run.ts";
import { PendingQuestions } from "../runs/pending_questions.ts";
import { namesOf, payloadOf, type Question } from "../runs/question.ts";
import { runResult } from "../runs/run_result.ts";
import { knowsTasks, principalOf } from "../session_context.ts";
import { isHubFailure, type TaskView, toTaskView } from "./task_view.ts";

const PAGE = 1000;

/** What a task is made of. */
interface Found {
  readonly principal: Principal;
  readonly view: RunView;
  /** The caller has started it. */
  readonly isOwn: boolean;
  readonly questions: readonly Question[];
  readonly updatedAt: number;
}

/** The requests about tasks. A task is a run: nothing of it is kept here. */
export class Tasks {
  readonly #deps: McpDeps;
  readonly #times: McpTimes;

  constructor(deps: McpDeps, times: McpTimes) {
    this.#deps = deps;
    this.#times = times;
  }

  /** `tasks/get`: the task with its result, its error or its questions. */
  async get(params: unknown, context: ServerContext): Promise<Record<string, unknown>> {
    const { view, questions, updatedAt } = await this.#find(params, context);
    const task = toTaskView(view, { asks: questions.length > 0, updatedAt, pollMs: this.#times.taskPoll });
    return { ...task, ...detailsOf(task, view, questions) };
  }

  /** `tasks/update`: answers to what it asked; what it does not know is left. */
  async update(params: unknown, context: ServerContext): Promise<Record<string, unknown>> {
    const found = await this.#find(params, context);
    assertMayWrite(found, "answer");
    const { principal, view, questions } = found;
    const responses = isObject(params) && isObject(params["inputResponses"]) ? params["inputResponses"] : {};
    const names = this.#names(questions);
    for (const [name, response] of Object.entries(context.mcpReq.inputResponses ?? responses)) {
      const question = names.get(name);
      if (question === undefined) continue;
      const payload = payloadOf(question, response);
      if (payload === undefined) {
        throw new ProtocolError(
          ProtocolErrorCode.InvalidParams,
          `Input response "${name}" does not answer its question`,
        );
      }
      await this.#deps.runs.signal({ caller: principal, runId: view.id, name: question.key, payload });
    }
    return {};
  }

  /** `tasks/cancel`: aborts the run; one that has ended stays as it is. */
  async cancel(params: unknown, context: ServerContext): Promise<Record<string, unknown>> {
    const found = await this.#find(params, context);
    assertMayWrite(found, "cancel");
    const { principal, view } = found;
    if (view.completedAt === null) await abortRun(this.#deps.runs, principal, view.id, "Cancelled by its client");
    return {};
  }

  /** As of now, for the answer that tells a client that its call is a task. */
  async view(principal: Principal, runId: string): Promise<TaskView> {
    const view = await this.#deps.runs.get({ caller: principal, runId });
    // What it has come to in the meantime is told by `tasks/get`.
    const task = toTaskView(view, { asks: false, updatedAt: view.createdAt, pollMs: this.#times.taskPoll });
    return { ...task, status: "working" };
  }

  async #find(params: unknown, context: ServerContext): Promise<Found> {
    if (!knowsTasks(context)) throw tasksMissing();
    const principal = principalOf(context);
    const taskId = isObject(params) ? params["taskId"] : undefined;
    if (typeof taskId !== "string") {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Field "taskId" is missing: wanted a text');
    }
    try {
      const view = await this.#deps.runs.get({ caller: principal, runId: taskId });
      const { owner, pending, updatedAt } = await this.#fold(principal, taskId);
      // A key that only runs workflows sees its own runs.
      const isOwn = owner === principal.identity.id;
      if (!isOwn && !mayOn(principal, view.workflow, "run:read")) throw unknownTask(taskId);
      return { principal, view, isOwn, questions: await pending.list(), updatedAt };
    } catch (error) {
      if (error instanceof CallError && error.code === "RUN_NOT_FOUND") throw unknownTask(taskId);
      throw error;
    }
  }

  async #fold(caller: Principal, runId: string) {
    const pending = new PendingQuestions(this.#deps.workflows);
    let owner: string | null = null;
    let last: RunEvent | undefined;
    for (;;) {
      const page: readonly RunEvent[] = await this.#deps.runs.events({
        caller,
        runId,
        after: last?.seq ?? 0,
        limit: PAGE,
      });
      for (const event of page) {
        if (event.type === "run.created") owner = event.caller.identity.id;
        pending.apply(event);
      }
      last = page.at(-1) ?? last;
      if (page.length < PAGE) return { owner, pending, updatedAt: last?.at ?? 0 };
    }
  }

  #names(questions: readonly Question[]): ReadonlyMap<string, Question> {
    // Either name will do: which of them was shown depends on what waited at that time.
    return new Map([...questions.map((it) => [it.key, it] as const), ...namesOf(questions)]);
  }
}

function detailsOf(task: TaskView, view: RunView, questions: readonly Question[]): Record<string, unknown> {
  if (task.status === "completed") return { result: { resultType: "complete", ...runResult(view) } };
  if (task.status === "input_required") {
    return { inputRequests: Object.fromEntries([...namesOf(questions)].map(([name, { request }]) => [name, request])) };
  }
  if (!isHubFailure(view) || view.error === null) return {};
  const { code, message } = view.error;
  return { error: { code: ProtocolErrorCode.InternalError, message, data: { code } } };
}

/** Who has started a run may answer and end it; others as over HTTP. @throws {CallError} `ACCESS_DENIED` */
function assertMayWrite({ principal, view, isOwn }: Found, what: string): void {
  if (!isOwn) assertMayOn(principal, `${what} task "${view.id}"`, view.workflow, "run:write");
}

function unknownTask(taskId: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no task "${taskId.slice(0, 100)}"`);
}
