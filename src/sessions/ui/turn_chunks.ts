import type { SessionEvent } from "../ports.ts";
import type { Message, SessionTurn, ToolPart } from "../session.ts";
import { ShownStep, type ShownTool } from "./shown_step.ts";
import type { UiChunk, UiMetadata } from "./ui_chunk.ts";
import { metadataOf } from "./ui_messages.ts";

/** What a page has of a turn already: the calls of tools of each of its steps, and how far it knows them. */
export type KnownSteps = readonly ReadonlyMap<string, ShownTool>[];

/**
 * Turns what happens in one turn into chunks, each once. Committed messages and live events may come twice, and live ones may be
 * missing or be ahead of what was read: then `wantsRead` says that the store is to be looked at. What was shown of a step and is
 * not what was committed in the end is taken back.
 */
export class TurnChunks {
  readonly #steps = new Map<string, ShownStep>();
  readonly #told = new Set<string>();
  readonly #known: KnownSteps;
  #turn: SessionTurn;
  #committed = 0;
  #current: ShownStep | null = null;
  #prompt: string | null = null;
  #finishReason = "stop";
  #wantsRead = false;

  constructor(turn: SessionTurn, known: KnownSteps = []) {
    this.#turn = turn;
    this.#known = known;
  }

  /** Nothing goes on until a person has answered. */
  get isWaiting(): boolean {
    return this.#current === null && [...this.#steps.values()].some((step) => step.isWaiting);
  }

  /** Whether something has come that cannot be told before the store was read; asking forgets it. */
  takeWantsRead(): boolean {
    const wants = this.#wantsRead;
    this.#wantsRead = false;
    return wants;
  }

  start(): UiChunk {
    return { type: "start", messageId: this.#turn.id, messageMetadata: this.#metadata() };
  }

  /** A message of the turn, as the store has it. */
  message(message: Message): UiChunk[] {
    if (message.role === "user") return this.#said(message);
    if (message.role !== "assistant") return [];
    const known = this.#steps.get(message.id);
    if (known?.isCommitted === true) {
      return message.parts.flatMap((part) => part.type === "tool" ? known.tool(part) : []);
    }
    const step = message.step ?? this.#committed + 1;
    if (step > this.#committed + 1) {
      this.#wantsRead = true;
      return [];
    }
    if (step <= this.#committed) return [];
    return this.#commit(message);
  }

  event(event: SessionEvent): UiChunk[] {
    switch (event.type) {
      case "step-start":
        return this.#begin(event);
      case "text-delta":
      case "reasoning-delta":
        return this.#open(event.messageId)?.text(event.type === "text-delta" ? "text" : "reasoning", event.text) ?? [];
      case "tool-input-delta":
        return this.#open(event.messageId)?.toolInput(event.toolCallId, event.toolName, event.text) ?? [];
      case "step-end":
      case "message":
        return event.message.turnId === this.#turn.id ? this.message(event.message) : [];
      case "tool":
        return this.tool(event.messageId, event.part);
      case "turn-start":
        this.#turn = { ...this.#turn, runId: event.runId };
        return [];
      case "turn-end":
        return [];
    }
  }

  tool(messageId: string, part: ToolPart): UiChunk[] {
    const step = this.#steps.get(messageId);
    if (step === undefined) this.#wantsRead = true;
    return step?.tool(part) ?? [];
  }

  /** A person has answered what this page was asked. */
  answered(messageId: string, toolCallId: string): void {
    this.#steps.get(messageId)?.answered(toolCallId);
  }

  /** Live events were missed. */
  missed(): void {
    this.#current?.missed();
    this.#wantsRead = true;
  }

  /** The turn stands still, and the page is to ask a person. */
  pause(): UiChunk[] {
    return [{ type: "finish", finishReason: "tool-calls", messageMetadata: this.#metadata() }];
  }

  /** The turn is over: all its messages have been told. */
  end(turn: SessionTurn): UiChunk[] {
    this.#turn = turn;
    const messageMetadata = this.#metadata();
    // Of a turn that was stopped, what was said may still be about to be recorded.
    const left: UiChunk[] = this.#current?.cut() ?? [];
    this.#current = null;
    switch (turn.status) {
      case "failed":
        return [
          ...left,
          { type: "message-metadata", messageMetadata },
          { type: "error", errorText: turn.error?.message ?? "The turn failed" },
        ];
      case "stopped":
        return [
          ...left,
          { type: "abort", reason: turn.error?.message ?? "The turn was stopped" },
          { type: "finish", finishReason: "interrupted", messageMetadata },
        ];
      default:
        return [...left, { type: "finish", finishReason: finishOf(this.#finishReason), messageMetadata }];
    }
  }

  #open(messageId: string): ShownStep | null {
    return this.#current?.messageId === messageId ? this.#current : null;
  }

  #begin(event: Extract<SessionEvent, { readonly type: "step-start" }>): UiChunk[] {
    const { turnId, messageId, step } = event;
    if (turnId !== this.#turn.id || step <= this.#committed) return [];
    // Another attempt, or the same one told anew from its beginning: what was shown of it goes.
    if (step > this.#committed + 1) {
      this.#wantsRead = true;
      return [];
    }
    const before = this.#current;
    this.#current = new ShownStep(messageId);
    return before === null ? [{ type: "start-step" }] : [{ type: "reset-step" }];
  }

  #commit(message: Message): UiChunk[] {
    const chunks = this.#chunksOf(message);
    this.#current = null;
    this.#committed++;
    for (const part of message.parts) {
      if (part.type !== "step-finish") continue;
      this.#finishReason = part.finishReason;
      const { steps, inputTokens, outputTokens, costMicros } = this.#turn;
      if (steps >= this.#committed) continue; // the turn, as it was read, counts it already
      this.#turn = {
        ...this.#turn,
        steps: this.#committed,
        inputTokens: inputTokens + part.inputTokens,
        outputTokens: outputTokens + part.outputTokens,
        costMicros: costMicros + part.costMicros,
      };
    }
    if (chunks.length > 0) chunks.push({ type: "message-metadata", messageMetadata: this.#metadata() });
    return chunks;
  }

  #chunksOf(message: Message): UiChunk[] {
    const known = this.#known[this.#committed];
    if (known !== undefined) {
      const step = ShownStep.known(message, known);
      this.#steps.set(message.id, step);
      return message.parts.flatMap((part) => part.type === "tool" ? step.tool(part) : []);
    }
    const open = this.#open(message.id);
    if (open !== null) {
      const rest = open.commit(message);
      if (rest !== null) {
        this.#steps.set(message.id, open);
        return rest;
      }
    }
    const step = new ShownStep(message.id);
    this.#steps.set(message.id, step);
    return [{ type: this.#current === null ? "start-step" : "reset-step" }, ...step.commit(message) ?? []];
  }

  /** The first thing that was said began the turn; all other things steer it. */
  #said({ id, parts }: Message): UiChunk[] {
    this.#prompt ??= id;
    if (this.#prompt === id || this.#told.has(id)) return [];
    this.#told.add(id);
    const text = parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n");
    return [{ type: "data-steered", id, transient: true, data: { messageId: id, text } }];
  }

  #metadata(): UiMetadata {
    return metadataOf(this.#turn);
  }
}

function finishOf(reason: string): Extract<UiChunk, { readonly type: "finish" }>["finishReason"] {
  switch (reason) {
    case "stop":
    case "length":
      return reason;
    case "content_filter":
      return "content-filter";
    case "tool_calls":
      return "tool-calls";
    default:
      return "other";
  }
}
