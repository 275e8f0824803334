import {
  type InputRequests,
  inputRequired,
  type InputRequiredResult,
  type RequestStateCodec,
} from "@modelcontextprotocol/server";
import type { WorkflowExposure } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import { isObject } from "../json.ts";
import type { McpDeps, McpTimes } from "../ports.ts";
import { tasksMissing } from "../protocol_error.ts";
import { assertMayOn } from "../rights.ts";
import { abortRun, followRun, type RunStop } from "../runs/follow_run.ts";
import { namesOf, type Question } from "../runs/question.ts";
import { RUN_META, runResult } from "../runs/run_result.ts";
import { RunReporter } from "../runs/run_reporter.ts";
import { canBeAsked, knowsTasks, requestCapabilities } from "../session_context.ts";
import type { Tasks } from "../tasks/tasks.ts";
import { asCaller, type Principal } from "../../auth/mod.ts";
import type { ToolAnswer, ToolCall } from "./tool.ts";

/** What goes to the client and back between two rounds. */
export interface RoundState {
  readonly runId: string;
  /** Up to which events have been told. */
  readonly seq: number;
}

export interface WorkflowCall extends ToolCall {
  readonly name: string;
  readonly version?: string;
  readonly input: unknown;
  readonly exposure: WorkflowExposure;
}

export type CallWorkflow = (call: WorkflowCall) => Promise<ToolAnswer>;

/** Starts a run, or takes up one that has asked, and follows it as far as an answer needs. */
export class WorkflowCaller {
  readonly #deps: McpDeps;
  readonly #times: McpTimes;
  readonly #tasks: Tasks;
  readonly #codec: RequestStateCodec<RoundState>;
  readonly #closing: AbortSignal;

  constructor(
    deps: McpDeps,
    times: McpTimes,
    parts: {
      readonly tasks: Tasks;
      readonly codec: RequestStateCodec<RoundState>;
      /** Aborts when the hub stops. */
      readonly closing: AbortSignal;
    },
  ) {
    this.#deps = deps;
    this.#times = times;
    this.#tasks = parts.tasks;
    this.#codec = parts.codec;
    this.#closing = parts.closing;
  }

  /** A tool's answer: its result, its questions, or the task that it has become. */
  async callTool(call: WorkflowCall): Promise<ToolAnswer> {
    const { principal, context, exposure } = call;
    // A prompt is an answer, never a task.
    const canTask = exposure !== "prompt" && knowsTasks(context);
    if (exposure === "task" && !canTask && requestCapabilities(context) !== null) throw tasksMissing();
    const { runId, stop } = await this.#follow(call, canTask ? this.#times.taskAfter : null);
    const asTask = canTask &&
      (stop.kind === "late" || (exposure === "task" ? stop.kind === "ended" : stop.kind === "asks"));
    if (asTask) return { resultType: "task", ...await this.#tasks.view(principal, runId) };
    if (stop.kind === "asks") return await this.#ask(call, runId, stop);
    return runResult(await this.#deps.runs.get({ caller: principal, runId }));
  }

  /** What the run of an answer came to. */
  async outputOf(principal: Principal, answer: ToolAnswer): Promise<unknown> {
    const meta: unknown = answer["_meta"];
    const runId = isObject(meta) ? meta[RUN_META] : null;
    return typeof runId === "string" ? (await this.#deps.runs.get({ caller: principal, runId })).output : null;
  }

  async #follow(
    call: WorkflowCall,
    lateMs: number | null,
  ): Promise<{ readonly runId: string; readonly stop: RunStop }> {
    const { principal, context, name } = call;
    assertMayOn(principal, `run workflow "${name}"`, name, "workflow:run");
    const { runs, workflows } = this.#deps;
    const earlier = await this.#earlier(call);
    const runId = earlier?.runId ?? (await this.#start(call));
    const reporter = new RunReporter(context, earlier?.seq ?? 0);
    const stop = await followRun({
      runs,
      workflows,
      principal,
      runId,
      answers: context.mcpReq.inputResponses ?? {},
      onEvent: (event) => reporter.tell(event),
      signal: context.mcpReq.signal,
      closing: this.#closing,
      lateMs,
      settleMs: this.#times.settle,
    });
    return { runId, stop };
  }

  /** The round before this one; its run must be of the same workflow. */
  async #earlier({ context, principal, name }: WorkflowCall): Promise<RoundState | null> {
    const state: unknown = context.mcpReq.requestState();
    if (!isObject(state) || typeof state["runId"] !== "string" || typeof state["seq"] !== "number") return null;
    const { runId, seq } = state;
    const view = await this.#deps.runs.get({ caller: principal, runId });
    if (view.workflow === name) return { runId, seq };
    throw new CallError("VALIDATION_ERROR", `Request state is of another tool than "${name}"`);
  }

  async #start({ principal, name, version, input, args }: WorkflowCall): Promise<string> {
    assertSize(args, this.#deps.limits.inputBytes);
    if (principal.limits !== undefined) await this.#deps.onStart?.(principal);
    const { id } = await this.#deps.runs.start({
      workflow: name,
      ...(version !== undefined && { version }),
      input,
      caller: asCaller(principal),
      labels: { via: "mcp" },
    });
    return id;
  }

  async #ask(
    { context, principal, capabilities }: WorkflowCall,
    runId: string,
    stop: Extract<RunStop, { kind: "asks" }>,
  ): Promise<InputRequiredResult> {
    const possible = stop.questions.filter(({ request }) => canBeAsked(request.method, capabilities));
    if (possible.length === 0) {
      await abortRun(this.#deps.runs, principal, runId, "Its client cannot be asked what it asks");
    }
    // Of what cannot be asked at all, the SDK names what is missing.
    const questions = possible.length > 0 ? possible : stop.questions;
    const state: RoundState = { runId, seq: stop.seq };
    return inputRequired({
      inputRequests: toInputRequests(questions),
      requestState: await this.#codec.mint(state, context),
    });
  }
}

function toInputRequests(questions: readonly Question[]): InputRequests {
  // The SDK checks each against the revision's schema before it sends it.
  return Object.fromEntries([...namesOf(questions)].map(([name, { request }]) => [name, request])) as InputRequests;
}

function assertSize(args: unknown, limit: number): void {
  const bytes = new TextEncoder().encode(JSON.stringify(args)).byteLength;
  if (bytes <= limit) return;
  throw new CallError("PAYLOAD_TOO_LARGE", `Arguments are ${bytes} bytes: wanted at most ${limit}`, { limit });
}
