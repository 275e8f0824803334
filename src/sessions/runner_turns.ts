import type { Json } from "@alkdev/flowgraph";
import { CallError, type OperationContext } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import { type ChatMessage, chatMessages } from "./chat_messages.ts";
import { assertWithinLimits, timeLeft } from "./limits.ts";
import type { SessionsOptions } from "./options.ts";
import type { SessionKey, StepUsage } from "./ports.ts";
import { invalid, sessionNotFound } from "./session_error.ts";
import type { Part, Session, SessionTurn, ToolPart } from "./session.ts";
import { statusDuring } from "./transitions.ts";
import { TURN_LABEL } from "./turns.ts";
import type { TurnKeeper } from "./turn_keeper.ts";
import { visible } from "./visible.ts";

/** Label of a session that says which operation its runner offers; without it `runner.turn`. */
export const RUNNER_LABEL = "runner";
const RUNNER = "runner.turn";
/** A day: a runner that hangs for longer is given up. */
const LONGEST_MS = 86_400_000;
const MAX_MESSAGES = 2_000;
const NOTHING_USED: StepUsage = { inputTokens: 0, outputTokens: 0, costMicros: 0, malformedCalls: 0 };

/** What a call of a model through the proxy has used. */
export interface CallsOfModels {
  /** Null: no call of a model for this session has ended in that run. */
  used(
    params: SessionKey & { readonly caller: Caller; readonly runId: string },
  ): Promise<Pick<StepUsage, "inputTokens" | "outputTokens" | "costMicros"> | null>;
}

export interface RunnerOptions extends SessionsOptions {
  readonly keeper: TurnKeeper;
  readonly calls: CallsOfModels;
  /** A UUID that is the same for the same two. */
  readonly idOf: (turnId: string, name: string) => string;
}

/** Where a runner works. */
export interface RunnerPlace {
  readonly caller: Caller;
  readonly session: string;
  readonly turn: string;
}

/** A turn as its runner sees it. */
export interface RunnerView {
  readonly session: string;
  readonly turn: string;
  /** Steps that are recorded; the next one is this and one. */
  readonly steps: number;
  readonly model: string;
  readonly temperature: number | null;
  readonly workspace: Session["workspace"];
  /** What the model is to be given. */
  readonly messages: readonly ChatMessage[];
  /** Calls of tools of the last step that have not ended. */
  readonly pending: readonly {
    readonly messageId: string;
    readonly toolCallId: string;
    readonly toolName: string;
    readonly input: Json;
  }[];
  /** Seq of the last message that `messages` are made from. */
  readonly seenSeq: number;
  /** Ms that are left; null: as many as it likes. */
  readonly leftMs: number | null;
}

/** What the model of a runner has said in one step. */
export interface RunnerStep {
  readonly name: string;
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly toolCallId: string; readonly toolName: string; readonly input: Json }[];
  readonly finishReason?: string;
  readonly seenSeq: number;
  /** Run of the call of the model; absent: none was made through the hub. */
  readonly callRunId?: string;
}

/**
 * Turns whose loop runs on a spoke. The spoke writes through these, each write under a name that makes it happen once; what
 * becomes of it is the same as of a turn that the hub runs itself. What a step has used is what the proxy says.
 */
export class RunnerTurns {
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Hands the turn to its runner, and waits for that: the one node of `workflows/runner_turn.tsx`. */
  async run(
    { session: sessionId, turn: turnId }: Omit<RunnerPlace, "caller">,
    context: OperationContext,
  ): Promise<Json> {
    const { places, store, tools, clock } = this.#options;
    const { at, caller: { orgId }, labels } = await places.place(context);
    if (at === null || labels[TURN_LABEL] !== turnId) {
      throw new CallError(
        "ACCESS_DENIED",
        `Only the run of turn "${turnId}" may call this: prompt its session instead`,
      );
    }
    const [session, turn] = await Promise.all([store.get({ orgId, sessionId }), store.turn({ orgId, turnId })]);
    if (session === null || turn?.sessionId !== sessionId) throw sessionNotFound(sessionId);
    if (turn.status !== "open") return { status: turn.status };
    assertWithinLimits(session, turn, clock.now());
    const left = timeLeft(session, turn, clock.now()) ?? LONGEST_MS;
    const envelope = await tools.call({
      context,
      operationId: session.labels[RUNNER_LABEL] ?? RUNNER,
      input: { session: sessionId, turn: turnId },
      timeoutMs: Math.max(1, Math.min(LONGEST_MS, left)),
      spoke: session.workspace?.spoke ?? null,
    });
    return (envelope.data ?? null) as Json; // it has come over a wire
  }

  /** The turn as it stands: what a runner begins with, each time it begins. @throws CallError SESSION_LIMIT */
  async view(place: RunnerPlace): Promise<RunnerView> {
    const { session, turn } = await this.#open(place);
    const { store, clock } = this.#options;
    assertWithinLimits(session, turn, clock.now());
    const all = await store.messages({ ...keyOf(session), limit: MAX_MESSAGES, newest: true });
    const messages = visible(all);
    const last = messages.findLast(({ turnId, role }) => turnId === turn.id && role === "assistant");
    const pending = last?.parts.flatMap((part) =>
      part.type === "tool" && part.state === "input-available"
        ? [{ messageId: last.id, toolCallId: part.toolCallId, toolName: part.toolName, input: part.input }]
        : []
    );
    return {
      session: session.id,
      turn: turn.id,
      steps: turn.steps,
      model: session.model,
      temperature: session.agent.temperature,
      workspace: session.workspace,
      messages: chatMessages(session, messages),
      pending: pending ?? [],
      seenSeq: all.at(-1)?.seq ?? 0,
      leftMs: timeLeft(session, turn, clock.now()),
    };
  }

  /** Records what the model said, once for a name. @throws CallError SESSION_LIMIT */
  async step(place: RunnerPlace, said: RunnerStep): Promise<{ readonly messageId: string; readonly step: number }> {
    const { session, turn } = await this.#open(place);
    const { store, clock, idOf, feed } = this.#options;
    const id = idOf(turn.id, said.name);
    const known = await store.stepOf({ turnId: turn.id, requestId: id });
    if (known !== null) return { messageId: known.id, step: known.step ?? 0 };
    assertWithinLimits(session, turn, clock.now());
    const usage = await this.#used(place, { session, turn, callRunId: said.callRunId ?? null });
    const parts = partsOf(session, said, usage);
    const recorded = await store.step({
      turnId: turn.id,
      requestId: id,
      message: { id, role: "assistant", parts, createdAt: clock.now() },
      usage,
      status: statusDuring(parts),
    });
    if (recorded === null) throw ended(turn);
    const { message } = recorded;
    if (!recorded.duplicate) feed.publish(keyOf(session), { type: "step-end", turnId: turn.id, message });
    return { messageId: message.id, step: message.step ?? 0 };
  }

  /** Says what became of a call of a tool. One that has ended stays as it is. */
  async append(
    place: RunnerPlace,
    call: { readonly messageId: string; readonly toolCallId: string } & Pick<ToolPart, "output" | "errorText">,
  ): Promise<{ readonly state: ToolPart["state"] }> {
    const { session, turn } = await this.#open(place);
    const { store, feed, clock } = this.#options;
    const { messageId, toolCallId, output, errorText } = call;
    const change = errorText === undefined
      ? { state: "output-available" as const, output: output ?? null }
      : { state: "output-error" as const, errorText };
    const part = await store.tool({ turnId: turn.id, messageId, toolCallId, change, at: clock.now() });
    if (part === null) throw invalid("/toolCallId", `Message "${messageId}" has no call "${toolCallId}"`);
    feed.publish(keyOf(session), { type: "tool", turnId: turn.id, messageId, part });
    return { state: part.state };
  }

  /** Tells those who watch what the model says while it says it. Nothing of it is kept. */
  async delta(
    place: RunnerPlace,
    said: { readonly name: string; readonly text?: string; readonly reasoning?: string; readonly begins?: boolean },
  ): Promise<Record<string, never>> {
    const { session, turn } = await this.#open(place);
    const { feed, idOf } = this.#options;
    const messageId = idOf(turn.id, said.name);
    const head = { turnId: turn.id, messageId } as const;
    const key = keyOf(session);
    if (said.begins === true) {
      feed.publish(key, { type: "step-start", ...head, step: turn.steps + 1, requestId: messageId });
    }
    if (said.reasoning !== undefined) feed.publish(key, { type: "reasoning-delta", ...head, text: said.reasoning });
    if (said.text !== undefined) feed.publish(key, { type: "text-delta", ...head, text: said.text });
    return {};
  }

  /** Ends the turn, unless something was said that the model has not seen. */
  async finish(
    place: RunnerPlace,
    { seenSeq, error }: {
      readonly seenSeq: number;
      readonly error?: { readonly code: string; readonly message: string };
    },
  ): Promise<{ readonly again: boolean }> {
    const { turn } = await this.#find(place);
    if (turn.status !== "open") return { again: false };
    const { keeper } = this.#options;
    if (error !== undefined) {
      await keeper.end(turn, { status: "failed", error });
      return { again: false };
    }
    return { again: await keeper.end(turn, { status: "done", error: null, seenSeq }) === null };
  }

  /** What the proxy says; each of its calls counts once. */
  async #used(
    { caller }: RunnerPlace,
    { session, turn, callRunId }: {
      readonly session: Session;
      readonly turn: SessionTurn;
      readonly callRunId: string | null;
    },
  ): Promise<StepUsage & { readonly callRunId: string | null }> {
    if (callRunId === null) return { ...NOTHING_USED, callRunId };
    const { store, calls } = this.#options;
    const messages = await store.messages({ ...keyOf(session), limit: MAX_MESSAGES, newest: true });
    const isCounted = messages.some(({ turnId, parts }) =>
      turnId === turn.id && parts.some((part) => part.type === "step-finish" && part.callRunId === callRunId)
    );
    if (isCounted) throw invalid("/callRunId", `Call "${callRunId}" is of an earlier step already`);
    const used = await calls.used({ ...keyOf(session), caller, runId: callRunId });
    if (used === null) {
      throw invalid(
        "/callRunId",
        `There is no call of a model "${callRunId}" that was made for session "${session.id}"`,
      );
    }
    return { ...used, malformedCalls: 0, callRunId };
  }

  async #open(place: RunnerPlace): Promise<{ readonly session: Session; readonly turn: SessionTurn }> {
    const found = await this.#find(place);
    if (found.turn.status === "open") return found;
    throw ended(found.turn);
  }

  async #find(
    { caller: { orgId }, session: sessionId, turn: turnId }: RunnerPlace,
  ): Promise<{ readonly session: Session; readonly turn: SessionTurn }> {
    const { store } = this.#options;
    const [session, turn] = await Promise.all([store.get({ orgId, sessionId }), store.turn({ orgId, turnId })]);
    if (session === null || turn?.sessionId !== sessionId) throw sessionNotFound(sessionId);
    if (session.kind === "runner") return { session, turn };
    throw new CallError("ACCESS_DENIED", `Session "${sessionId}" is run by the hub: only a runner's are written to`, {
      sessionId,
    });
  }
}

function partsOf(
  { model }: Session,
  { text = "", reasoning = "", calls = [], finishReason, seenSeq }: RunnerStep,
  { inputTokens, outputTokens, costMicros, callRunId }: StepUsage & { readonly callRunId: string | null },
): readonly Part[] {
  const parts: Part[] = [{ type: "step-start" }];
  if (reasoning !== "") parts.push({ type: "reasoning", text: reasoning });
  if (text !== "") parts.push({ type: "text", text });
  for (const { toolCallId, toolName, input } of calls) {
    if (parts.some((part) => part.type === "tool" && part.toolCallId === toolCallId)) {
      throw invalid("/calls", `Two calls have the id "${toolCallId}"`);
    }
    parts.push({ type: "tool", toolName, toolCallId, operationId: null, state: "input-available", input });
  }
  const used = { inputTokens, outputTokens, costMicros, callRunId };
  const reason = finishReason ?? (calls.length > 0 ? "tool_calls" : "stop");
  parts.push({ type: "step-finish", finishReason: reason, model, seenSeq, ...used });
  return parts;
}

function keyOf({ orgId, id }: Session): SessionKey {
  return { orgId, sessionId: id };
}

function ended({ id, status }: SessionTurn): CallError {
  return new CallError("ABORTED", `Turn "${id}" has ended: it is ${status}`);
}
