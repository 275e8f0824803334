import { CallError, type OperationContext } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import { type Generated, Generation } from "./generate.ts";
import type { SessionsOptions } from "./options.ts";
import type { CallPlace } from "./ports.ts";
import { type ApprovalAnswer, runTool, type ToolOutcome } from "./run_tool.ts";
import { sessionNotFound } from "./session_error.ts";
import type { Session, SessionTurn } from "./session.ts";
import type { PendingCall } from "./tool_calls.ts";
import type { TurnKeeper } from "./turn_keeper.ts";

export interface TurnParams {
  readonly caller: Caller;
  readonly turnId: string;
  readonly signal: AbortSignal;
}

/** Label of a run: the turn that it is. The hub's own, so that no other run passes for it. */
export const TURN_LABEL = "hub.turn";

interface StepParams {
  readonly session: string;
  readonly turn: string;
}

/** What the run of a turn does, step by step. Each works for the run of its turn alone. */
export class Turns {
  readonly #options: SessionsOptions;
  readonly #keeper: TurnKeeper;

  constructor(options: SessionsOptions, keeper: TurnKeeper) {
    this.#options = options;
    this.#keeper = keeper;
  }

  /** Asks the model. @throws CallError SESSION_LIMIT, SESSION_LOOP, ABORTED, what the proxy throws */
  async generate(params: StepParams, context: OperationContext): Promise<Generated> {
    return await new Generation(this.#options, { ...await this.#open(params, context), context }).run();
  }

  /** Carries one call of a tool out. @throws CallError ABORTED */
  async tool(
    params: StepParams & {
      readonly message: string;
      readonly call: PendingCall;
      readonly answer: ApprovalAnswer | null;
    },
    context: OperationContext,
  ): Promise<ToolOutcome> {
    const { message: messageId, call, answer } = params;
    const { session, turn } = await this.#open(params, context);
    return await runTool(this.#options, { session, turn, messageId, call, answer, context });
  }

  /** Whether there is another step: when tools were called, or something was said meanwhile. Else the turn is over. */
  async advance(
    params: StepParams & { readonly seenSeq: number; readonly toolCalls: number },
    context: OperationContext,
  ): Promise<{ readonly again: boolean }> {
    const { turn } = await this.#find(params, context);
    if (turn.status !== "open") return { again: false };
    if (params.toolCalls > 0) return { again: true };
    const ended = await this.#keeper.end(turn, { status: "done", error: null, seenSeq: params.seenSeq });
    return { again: ended === null };
  }

  async #open(params: StepParams, context: OperationContext) {
    const found = await this.#find(params, context);
    if (found.turn.status === "open") return found;
    throw new CallError("ABORTED", `Turn "${found.turn.id}" has ended: it is ${found.turn.status}`);
  }

  async #find(
    { session: sessionId, turn: turnId }: StepParams,
    context: OperationContext,
  ): Promise<
    {
      readonly session: Session;
      readonly turn: SessionTurn;
      readonly place: CallPlace & { readonly at: NonNullable<CallPlace["at"]> };
    }
  > {
    const { store, places } = this.#options;
    const place = await places.place(context);
    const { at, caller: { orgId } } = place;
    if (at === null || place.labels[TURN_LABEL] !== turnId) {
      throw new CallError(
        "ACCESS_DENIED",
        `Only the run of turn "${turnId}" may call this: prompt its session instead`,
      );
    }
    const [session, turn] = await Promise.all([store.get({ orgId, sessionId }), store.turn({ orgId, turnId })]);
    if (session === null || turn === null || turn.sessionId !== session.id) throw sessionNotFound(sessionId);
    return { session, turn, place: { ...place, at } };
  }
}
