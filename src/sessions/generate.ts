import { CallError, type OperationContext } from "@alkdev/operations";
import { type ChatMessage, chatMessages } from "./chat_messages.ts";
import { type ChatAnswer, ChatStream, type WrittenCall } from "./chat_stream.ts";
import { assertWithinLimits, sessionLimit, timeLeft } from "./limits.ts";
import { detectLoop } from "./loop_detector.ts";
import type { SessionsOptions } from "./options.ts";
import type { CallPlace, ModelAnswer, SessionKey, StepUsage } from "./ports.ts";
import type { Message, Part, Session, SessionTurn, ToolPart } from "./session.ts";
import { type PendingCall, readCalls } from "./tool_calls.ts";
import { ToolSet } from "./tool_set.ts";
import { statusDuring } from "./transitions.ts";
import { visible } from "./visible.ts";

/** What a step of a turn has come to, as the run's log has it. */
export interface Generated {
  readonly messageId: string;
  readonly step: number;
  /** Seq of the last message that the model was given. */
  readonly seenSeq: number;
  readonly finishReason: string;
  /** Calls that the model has made, whether they can be carried out or not. */
  readonly toolCalls: number;
  readonly calls: readonly PendingCall[];
}

/** Messages of a session that are looked at; older ones are forgotten without a compaction. */
const MAX_MESSAGES = 2_000;

/** One step of a turn: asks the model, and records what it says before anything of it is done. */
export class Generation {
  readonly #options: SessionsOptions;
  readonly #session: Session;
  readonly #turn: SessionTurn;
  readonly #place: CallPlace & { readonly at: NonNullable<CallPlace["at"]> };
  readonly #key: SessionKey;
  /** The same when the step is sent again after a crash. */
  readonly #requestId: string;
  readonly #signal: AbortSignal;
  #usage: StepUsage = { inputTokens: 0, outputTokens: 0, costMicros: 0, malformedCalls: 0 };
  #callRunId: string | null = null;
  #stream = new ChatStream();

  constructor(
    options: SessionsOptions,
    params: {
      readonly session: Session;
      readonly turn: SessionTurn;
      readonly place: CallPlace & { readonly at: NonNullable<CallPlace["at"]> };
      readonly context: OperationContext;
    },
  ) {
    this.#options = options;
    const { session, turn, place, context } = params;
    this.#session = session;
    this.#turn = turn;
    this.#place = place;
    this.#key = { orgId: session.orgId, sessionId: session.id };
    this.#requestId = place.at.requestId;
    const left = timeLeft(session, turn, options.clock.now());
    const signals = [context.signal, left === null ? undefined : AbortSignal.timeout(Math.max(1, left))];
    this.#signal = AbortSignal.any(signals.filter((signal) => signal !== undefined));
  }

  async run(): Promise<Generated> {
    const { store, clock } = this.#options;
    const turnId = this.#turn.id;
    const known = await store.stepOf({ turnId, requestId: this.#requestId });
    if (known !== null) return generatedFrom(known, await this.#tools());
    assertWithinLimits(this.#session, this.#turn, clock.now());
    const all = await store.messages({ ...this.#key, limit: MAX_MESSAGES, newest: true });
    const messages = visible(all);
    const loop = detectLoop(messages.filter((message) => message.turnId === turnId));
    const tools = await this.#tools();
    const asked: ChatMessage[] = [...chatMessages(this.#session, messages)];
    if (loop !== null) asked.push({ role: "user", content: `[hub] ${loop}` });
    this.#publish({
      type: "step-start",
      turnId,
      messageId: this.#requestId,
      step: this.#turn.steps + 1,
      requestId: this.#requestId,
    });
    const answer = await this.#answer(asked, tools);
    const seenSeq = all.at(-1)?.seq ?? 0;
    return await this.#record(answer, { asked, tools, seenSeq });
  }

  #tools(): Promise<ToolSet> {
    return ToolSet.of({
      catalog: this.#options.tools,
      caller: this.#place.caller,
      granted: this.#session.agent.tools,
    });
  }

  async #answer(asked: readonly ChatMessage[], tools: ToolSet): Promise<ChatAnswer> {
    const turnId = this.#turn.id;
    const messageId = this.#requestId;
    this.#stream = new ChatStream({
      text: (text) => this.#publish({ type: "text-delta", turnId, messageId, text }),
      reasoning: (text) => this.#publish({ type: "reasoning-delta", turnId, messageId, text }),
      call: ({ id: toolCallId, name: toolName }, text) =>
        this.#publish({ type: "tool-input-delta", turnId, messageId, toolCallId, toolName, text }),
    });
    try {
      return await this.#ask(this.#body(asked, tools), this.#stream);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
      await this.#stopped();
      throw this.#whyAborted(error);
    }
  }

  /** Nothing is lost of what was said until a person stopped it. */
  async #stopped(): Promise<void> {
    const { text, reasoning } = this.#stream.answer;
    if (text === "" && reasoning === "") return;
    const parts: Part[] = [{ type: "step-start" }];
    if (reasoning !== "") parts.push({ type: "reasoning", text: reasoning });
    if (text !== "") parts.push({ type: "text", text });
    parts.push({ type: "notice", code: "stopped", text: "(stopped here)" });
    const message = { id: this.#requestId, role: "assistant" as const, parts, createdAt: this.#options.clock.now() };
    await this.#options.store.partial({ turnId: this.#turn.id, requestId: this.#requestId, message });
  }

  #whyAborted(error: unknown): unknown {
    const left = timeLeft(this.#session, this.#turn, this.#options.clock.now());
    if (left === null || left > 0) return error;
    const { limits, budget, usage } = this.#session;
    const gone = this.#options.clock.now() - this.#turn.startedAt;
    return limits.maxTurnMs !== null && gone >= limits.maxTurnMs
      ? sessionLimit({ scope: "turn", which: "timeMs", limit: limits.maxTurnMs, used: gone })
      : sessionLimit({ scope: "session", which: "timeMs", limit: budget.timeMs ?? 0, used: usage.turnMs + gone });
  }

  #body(messages: readonly ChatMessage[], { tools }: ToolSet): Readonly<Record<string, unknown>> {
    const { model, agent: { temperature } } = this.#session;
    return {
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature !== null && { temperature }),
      ...(tools.length > 0 && {
        tools: tools.map(({ name, description, parameters }) => ({
          type: "function",
          function: { name, description, parameters },
        })),
      }),
    };
  }

  async #ask(body: Readonly<Record<string, unknown>>, stream: ChatStream): Promise<ChatAnswer> {
    const answer: ModelAnswer = await this.#options.models.stream({
      caller: this.#place.caller,
      sessionId: this.#session.id,
      parent: this.#place.at,
      body,
      signal: this.#signal,
    });
    this.#callRunId ??= answer.runId;
    const said = await stream.read(answer.body);
    this.#signal.throwIfAborted();
    const { inputTokens, outputTokens, costMicros } = await answer.settled();
    const so = this.#usage;
    this.#usage = {
      ...so,
      inputTokens: so.inputTokens + inputTokens,
      outputTokens: so.outputTokens + outputTokens,
      costMicros: so.costMicros + costMicros,
    };
    return said;
  }

  async #record(
    answer: ChatAnswer,
    { asked, tools, seenSeq }: {
      readonly asked: readonly ChatMessage[];
      readonly tools: ToolSet;
      readonly seenSeq: number;
    },
  ): Promise<Generated> {
    const { parts: toolParts, pending, malformed } = await readCalls(answer.calls, {
      tools,
      repair: (call, problem) => this.#repair(call, problem, { asked, tools }),
      approvalKey: (index) => `approval${turnSuffix(this.#place.nodeKey)}[${index}]`,
    });
    const { text, reasoning, finishReason } = answer;
    const usage = { ...this.#usage, malformedCalls: malformed };
    const parts: Part[] = [{ type: "step-start" }];
    if (reasoning !== "") parts.push({ type: "reasoning", text: reasoning });
    if (text !== "") parts.push({ type: "text", text });
    const { inputTokens, outputTokens, costMicros } = usage;
    parts.push(...toolParts, {
      type: "step-finish",
      finishReason,
      inputTokens,
      outputTokens,
      costMicros,
      model: this.#session.model,
      seenSeq,
      callRunId: this.#callRunId,
    });
    const { store, clock } = this.#options;
    const recorded = await store.step({
      turnId: this.#turn.id,
      requestId: this.#requestId,
      message: { id: this.#requestId, role: "assistant", parts, createdAt: clock.now() },
      usage,
      status: statusDuring(parts),
    });
    if (recorded === null) throw new CallError("ABORTED", "The turn has ended meanwhile");
    this.#publish({ type: "step-end", turnId: this.#turn.id, message: recorded.message });
    if (recorded.duplicate) return generatedFrom(recorded.message, tools);
    return generated(recorded.message, pending);
  }

  /** Asks for one call alone, once. */
  async #repair(
    { id, name, arguments: args }: WrittenCall,
    problem: string,
    { asked, tools }: { readonly asked: readonly ChatMessage[]; readonly tools: ToolSet },
  ): Promise<WrittenCall | null> {
    const toolCallId = id === "" ? "call_0" : id;
    const isKnown = tools.tools.some((tool) => tool.name === name);
    const messages: readonly ChatMessage[] = [
      ...asked,
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: toolCallId, type: "function", function: { name, arguments: args } }],
      },
      { role: "tool", tool_call_id: toolCallId, content: `This call was not made, as it is malformed. ${problem}` },
      { role: "user", content: `[hub] Make the call of ${name} again, as its schema wants it, and nothing else.` },
    ];
    const choice = isKnown ? { type: "function", function: { name } } : "required";
    const { calls: [again] } = await this.#ask(
      { ...this.#body(messages, tools), tool_choice: choice },
      new ChatStream(),
    );
    return again === undefined ? null : { ...again, id };
  }

  #publish(event: Parameters<SessionsOptions["feed"]["publish"]>[1]): void {
    this.#options.feed.publish(this.#key, event);
  }
}

/** `[3]` of `generate[3]`. */
function turnSuffix(nodeKey: string): string {
  const at = nodeKey.indexOf("[");
  return at < 0 ? "" : nodeKey.slice(at);
}

function generated(message: Message, calls: readonly PendingCall[]): Generated {
  const finish = message.parts.find((part) => part.type === "step-finish");
  return {
    messageId: message.id,
    step: message.step ?? 0,
    seenSeq: finish?.seenSeq ?? 0,
    finishReason: finish?.finishReason ?? "unknown",
    toolCalls: message.parts.filter(({ type }) => type === "tool").length,
    calls,
  };
}

/** What a step that was recorded before a crash comes to: calls that have ended are found so when they are carried out. */
function generatedFrom(message: Message, tools: ToolSet): Generated {
  const made = message.parts.filter((part): part is ToolPart => part.type === "tool" && part.operationId !== null);
  const calls = made.map(({ toolCallId, toolName, input, operationId, approvalKey }): PendingCall => {
    const approve = approvalKey !== undefined;
    try {
      return { toolCallId, ...tools.resolve(toolName, input), approve };
    } catch {
      // It could be made then, and cannot now, as when a spoke has gone: it is tried, and fails in words of its own.
      return { toolCallId, operationId: operationId ?? toolName, input, approve };
    }
  });
  return generated(message, calls);
}
