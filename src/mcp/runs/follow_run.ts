import { CallError } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import { isTerminalType, type RunEvent, type Runs, type WorkflowCatalog } from "../../runs/mod.ts";
import type { JsonObject } from "../json.ts";
import { PendingQuestions } from "./pending_questions.ts";
import { namesOf, payloadOf, type Question } from "./question.ts";

/** Why following a run stopped. */
export type RunStop =
  | { readonly kind: "ended" }
  /** Nothing goes on without an answer. */
  | { readonly kind: "asks"; readonly questions: readonly Question[]; readonly seq: number }
  /** It went on for longer than it was given. */
  | { readonly kind: "late" };

export interface FollowRun {
  readonly runs: Runs;
  readonly workflows: WorkflowCatalog;
  readonly principal: Principal;
  readonly runId: string;
  /** What the client has answered, by the name of its question; each is used once. */
  readonly answers: JsonObject;
  /** Told of each event. */
  onEvent(event: RunEvent): Promise<void> | void;
  /** Aborts the run. */
  readonly signal: AbortSignal;
  /** The hub stops: the run is left as it is, for the next start. */
  readonly closing: AbortSignal;
  /** Ms after which to stop with `late`; null: never. */
  readonly lateMs: number | null;
  /** Ms that a run which asks is given to ask more. */
  readonly settleMs: number;
}

/** Follows a run from its first event until it ends, asks or is late. An abort of `signal` is an abort of the run. */
export async function followRun(params: FollowRun): Promise<RunStop> {
  const { runs, principal, runId, signal, lateMs } = params;
  const watching = new AbortController();
  const events = runs.watch({ caller: principal, runId, signal: watching.signal })[Symbol.asyncIterator]();
  const pending = new PendingQuestions(params.workflows);
  const answers = new Map(Object.entries(params.answers));
  const answered = new Set<string>();
  const late = lateMs === null ? null : alarm(lateMs, "late" as const);
  const gone = goneOf(signal);
  let seq = 0;
  try {
    let next = events.next();
    for (;;) {
      const settled = pending.count > 0 ? alarm(params.settleMs, "settled" as const) : null;
      const first = await Promise.race(
        [next, gone.promise, ...(settled === null ? [] : [settled.promise]), ...(late === null ? [] : [late.promise])],
      );
      settled?.cancel();
      if (first === "gone") {
        if (!params.closing.aborted) await abortRun(runs, principal, runId);
        throw new CallError("ABORTED", `Run ${runId} was aborted by its caller`, { runId });
      }
      if (first === "late") return { kind: "late" };
      if (first === "settled") {
        const open = await answerAll(params, pending, answers, answered);
        if (open.length > 0) return { kind: "asks", questions: open, seq };
        continue;
      }
      if (first.done === true) return { kind: "ended" };
      seq = first.value.seq;
      pending.apply(first.value);
      await params.onEvent(first.value);
      if (isTerminalType(first.value.type)) return { kind: "ended" };
      next = events.next();
    }
  } finally {
    late?.cancel();
    gone.cancel();
    watching.abort();
  }
}

/** Gives the run what the client has answered; what is left is asked. */
async function answerAll(
  { runs, principal, runId }: FollowRun,
  pending: PendingQuestions,
  answers: Map<string, unknown>,
  answered: Set<string>,
): Promise<readonly Question[]> {
  // An answer that has been given is in the events only a little later.
  const questions = (await pending.list()).filter(({ key }) => !answered.has(key));
  const open: Question[] = [];
  for (const [name, question] of namesOf(questions)) {
    const payload = payloadOf(question, answers.get(name));
    if (payload === undefined) {
      open.push(question);
      continue;
    }
    answers.delete(name);
    answered.add(question.key);
    await runs.signal({ caller: principal, runId, name: question.key, payload });
  }
  // Answers go on first: what else was open may be asked again together with what they lead to.
  return open.length < questions.length ? [] : open;
}

/** Aborts a run unless it has ended. */
export async function abortRun(runs: Runs, principal: Principal, runId: string, reason?: string): Promise<void> {
  try {
    await runs.abort({ caller: principal, runId, ...(reason !== undefined && { reason }) });
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "RUN_ENDED") throw error;
  }
}

function alarm<T>(ms: number, value: T): { readonly promise: Promise<T>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(value), ms);
  return { promise, cancel: () => clearTimeout(timer) };
}

function goneOf(signal: AbortSignal): { readonly promise: Promise<"gone">; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<"gone">();
  const onAbort = (): void => resolve("gone");
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return { promise, cancel: () => signal.removeEventListener("abort", onAbort) };
}
