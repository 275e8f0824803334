import type { Message, Part, ToolPart } from "../session.ts";
import { approvalId } from "./approval_id.ts";
import type { UiChunk } from "./ui_chunk.ts";

/** How far a page knows a call of a tool. */
export type ShownTool = "nothing" | "input" | "asked" | "answered" | "ended";

interface Shown {
  readonly kind: "text" | "reasoning" | "tool";
  /** Of a part: its id on the wire; of a call of a tool, the call's. */
  readonly id: string;
  text: string;
  isOpen: boolean;
}

/** One step as a page has been told of it so far. */
export class ShownStep {
  /** Of the message that it is, or will be. */
  readonly messageId: string;
  readonly #shown: Shown[] = [];
  readonly #tools = new Map<string, ShownTool>();
  #parts: readonly Part[] = [];
  /** Something of it was missed: what comes now can no longer be put behind what came. */
  #hasGap = false;
  #isCommitted = false;
  #isFinished = false;

  constructor(messageId: string) {
    this.messageId = messageId;
  }

  /** A step that a page has already, with what it knows of its calls of tools. */
  static known(message: Message, tools: ReadonlyMap<string, ShownTool>): ShownStep {
    const step = new ShownStep(message.id);
    step.#isCommitted = true;
    step.#parts = message.parts;
    for (const part of message.parts) {
      if (part.type === "tool") step.#tools.set(part.toolCallId, tools.get(part.toolCallId) ?? "nothing");
    }
    return step;
  }

  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Nothing of it goes on but what waits for a person. */
  get isWaiting(): boolean {
    if (!this.#isCommitted) return false;
    const tools = this.#parts.filter((part) => part.type === "tool");
    const asked = tools.filter(({ state }) => state === "approval-requested");
    const isAsked = asked.some(({ toolCallId }) => this.#tools.get(toolCallId) === "asked");
    const isRunning = tools.some(({ toolCallId, state }) =>
      state === "input-available" || (state === "approval-requested" && this.#tools.get(toolCallId) === "answered")
    );
    return isAsked && !isRunning;
  }

  /** It ends here, unfinished: what was said stays, half a call of a tool does not. */
  cut(): UiChunk[] {
    return this.#shown.some(({ kind }) => kind === "tool") ? [{ type: "reset-step" }] : this.#close();
  }

  missed(): void {
    this.#hasGap = true;
  }

  text(kind: "text" | "reasoning", text: string): UiChunk[] {
    if (this.#isCommitted || this.#hasGap || text === "") return [];
    const last = this.#shown.at(-1);
    if (last?.kind === kind && last.isOpen) {
      last.text += text;
      return [{ type: `${kind}-delta`, id: last.id, delta: text }];
    }
    const chunks = this.#close();
    const id = `${this.messageId}:${this.#shown.length}`;
    this.#shown.push({ kind, id, text, isOpen: true });
    chunks.push({ type: `${kind}-start`, id }, { type: `${kind}-delta`, id, delta: text });
    return chunks;
  }

  toolInput(toolCallId: string, toolName: string, text: string): UiChunk[] {
    if (this.#isCommitted || this.#hasGap) return [];
    const known = this.#shown.find(({ kind, id }) => kind === "tool" && id === toolCallId);
    if (known !== undefined) {
      known.text += text;
      return [{ type: "tool-input-delta", toolCallId, inputTextDelta: text }];
    }
    const chunks = this.#close();
    this.#shown.push({ kind: "tool", id: toolCallId, text, isOpen: true });
    chunks.push({ type: "tool-input-start", toolCallId, toolName, dynamic: true, providerExecuted: true });
    if (text !== "") chunks.push({ type: "tool-input-delta", toolCallId, inputTextDelta: text });
    return chunks;
  }

  /** What is missing of it, now that it is in the store; null: what was shown is not what it says. */
  commit({ parts }: Message): UiChunk[] | null {
    const said = parts.filter(isSaid);
    const fits = this.#shown.every((shown, at) => isOf(shown, said[at]));
    if (!fits) return null;
    this.#hasGap = false;
    const chunks: UiChunk[] = [];
    said.forEach((part, at) => chunks.push(...this.#complete(part, this.#shown[at])));
    for (const part of parts) {
      if (part.type === "file") chunks.push({ type: "file", url: part.url, mediaType: part.mediaType });
      if (part.type === "notice") chunks.push({ type: "data-notice", data: { code: part.code, text: part.text } });
    }
    this.#isCommitted = true;
    this.#parts = parts;
    for (const part of parts) if (part.type === "tool") chunks.push(...this.tool(part));
    chunks.push(...this.#finish());
    return chunks;
  }

  /** What has become of one of its calls. */
  tool(part: ToolPart): UiChunk[] {
    if (!this.#isCommitted || !this.#parts.some((one) => isCall(one, part.toolCallId))) return [];
    this.#parts = this.#parts.map((one) => isCall(one, part.toolCallId) ? part : one);
    const chunks = this.#tool(part);
    chunks.push(...this.#finish());
    return chunks;
  }

  /** A person has answered, whatever the store says yet. */
  answered(toolCallId: string): void {
    if (this.#tools.get(toolCallId) === "asked") this.#tools.set(toolCallId, "answered");
  }

  #tool(part: ToolPart): UiChunk[] {
    const { toolCallId, state, output = null, errorText = "" } = part;
    const shown = this.#tools.get(toolCallId) ?? "nothing";
    if (shown === "ended") return [];
    const id = approvalId(this.messageId, part);
    const request: UiChunk = { type: "tool-approval-request", approvalId: id, toolCallId };
    const answer = (approved: boolean): UiChunk => ({ type: "tool-approval-response", approvalId: id, approved });
    const chunks: UiChunk[] = [];
    if (shown === "nothing") chunks.push(inputOf(part));
    const now = (next: ShownTool): UiChunk[] => {
      this.#tools.set(toolCallId, next);
      return chunks;
    };
    switch (state) {
      case "input-available":
        if (shown === "asked") chunks.push(answer(true));
        return now(shown === "asked" || shown === "answered" ? "answered" : "input");
      case "approval-requested":
        if (shown === "asked" || shown === "answered") return [];
        chunks.push(request);
        return now("asked");
      case "output-denied":
        if (shown === "nothing" || shown === "input") chunks.push(request);
        chunks.push(answer(false), { type: "tool-output-denied", toolCallId });
        return now("ended");
      case "output-available":
        if (shown === "asked") chunks.push(answer(true));
        chunks.push({ type: "tool-output-available", toolCallId, output, providerExecuted: true });
        return now("ended");
      case "output-error":
        chunks.push({ type: "tool-output-error", toolCallId, errorText, providerExecuted: true });
        return now("ended");
    }
  }

  #complete(part: Said, shown: Shown | undefined): UiChunk[] {
    if (part.type === "tool") {
      this.#tools.set(part.toolCallId, "input");
      return shown === undefined ? [...this.#close(), ...startOf(part), inputOf(part)] : [inputOf(part)];
    }
    if (shown === undefined) return [...this.text(part.type, part.text), ...this.#close()];
    const rest = part.text.slice(shown.text.length);
    const wasOpen = shown.isOpen;
    shown.isOpen = false;
    shown.text = part.text;
    const { id } = shown;
    return [
      ...(rest === "" ? [] : [{ type: `${part.type}-delta`, id, delta: rest } as const]),
      ...(wasOpen ? [{ type: `${part.type}-end`, id } as const] : []),
    ];
  }

  #close(): UiChunk[] {
    const last = this.#shown.at(-1);
    if (last === undefined || !last.isOpen || last.kind === "tool") return [];
    last.isOpen = false;
    return [{ type: `${last.kind}-end`, id: last.id }];
  }

  #finish(): UiChunk[] {
    if (this.#isFinished || [...this.#tools.values()].some((shown) => shown !== "ended")) return [];
    this.#isFinished = true;
    return [{ type: "finish-step" }];
  }
}

type Said = Extract<Part, { readonly type: "text" | "reasoning" | "tool" }>;

/** Parts that come piece by piece; an empty text never comes. */
function isSaid(part: Part): part is Said {
  return part.type === "tool" || ((part.type === "text" || part.type === "reasoning") && part.text !== "");
}

function isOf({ kind, id, text, isOpen }: Shown, part: Said | undefined): boolean {
  if (part?.type !== kind) return false;
  if (part.type === "tool") return part.toolCallId === id;
  return isOpen ? part.text.startsWith(text) : part.text === text;
}

function isCall(part: Part, toolCallId: string): boolean {
  return part.type === "tool" && part.toolCallId === toolCallId;
}

function startOf({ toolCallId, toolName }: ToolPart): UiChunk[] {
  return [{ type: "tool-input-start", toolCallId, toolName, dynamic: true, providerExecuted: true }];
}

function inputOf({ toolCallId, toolName, input }: ToolPart): UiChunk {
  return { type: "tool-input-available", toolCallId, toolName, input, dynamic: true, providerExecuted: true };
}
