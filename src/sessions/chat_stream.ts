import { CallError } from "@alkdev/operations";

/** A call of a tool as a model writes it: its arguments are a text, whatever stands in it. */
export interface WrittenCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** All that a model has said in one answer. */
export interface ChatAnswer {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly WrittenCall[];
  /** As the provider says it; `"unknown"` when it does not. */
  readonly finishReason: string;
}

/** Told of each piece as it comes. */
export interface ChatListener {
  text?(piece: string): void;
  reasoning?(piece: string): void;
  call?(call: { readonly index: number; readonly id: string; readonly name: string }, piece: string): void;
}

interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly tool_calls?: unknown;
}

/** What has come so far; complete when the stream is over. */
export class ChatStream {
  readonly #listener: ChatListener;
  #text = "";
  #reasoning = "";
  #finishReason = "unknown";
  readonly #calls: { id: string; name: string; arguments: string }[] = [];

  constructor(listener: ChatListener = {}) {
    this.#listener = listener;
  }

  get answer(): ChatAnswer {
    return {
      text: this.#text,
      reasoning: this.#reasoning,
      calls: this.#calls.filter((call) => call !== undefined),
      finishReason: this.#finishReason,
    };
  }

  /** Reads a stream to its end. @throws CallError PROVIDER_BROKE_OFF */
  async read(body: ReadableStream<Uint8Array>): Promise<ChatAnswer> {
    let left = "";
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      left += decoder.decode(bytes, { stream: true });
      const lines = left.split(/\r?\n/);
      left = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
    this.#line(left);
    return this.answer;
  }

  #line(line: string): void {
    if (!line.startsWith("data:")) return;
    const data = line.slice(5).trim();
    if (data === "" || data === "[DONE]") return;
    const chunk = parsed(data);
    if (chunk.error !== undefined && chunk.error !== null) {
      const { message }: { readonly message?: unknown } = typeof chunk.error === "object" ? chunk.error : {};
      throw new CallError("PROVIDER_BROKE_OFF", typeof message === "string" ? message : "The provider broke off");
    }
    const [choice] = Array.isArray(chunk.choices) ? chunk.choices as readonly unknown[] : [];
    if (typeof choice !== "object" || choice === null) return;
    const { delta, finish_reason }: { readonly delta?: Delta | null; readonly finish_reason?: unknown } = choice;
    if (typeof finish_reason === "string") this.#finishReason = finish_reason;
    if (typeof delta === "object" && delta !== null) this.#delta(delta);
  }

  #delta({ content, reasoning_content, reasoning, tool_calls }: Delta): void {
    if (typeof content === "string" && content !== "") {
      this.#text += content;
      this.#listener.text?.(content);
    }
    const thought = typeof reasoning_content === "string" ? reasoning_content : reasoning;
    if (typeof thought === "string" && thought !== "") {
      this.#reasoning += thought;
      this.#listener.reasoning?.(thought);
    }
    if (!Array.isArray(tool_calls)) return;
    for (const one of tool_calls as readonly unknown[]) if (typeof one === "object" && one !== null) this.#call(one);
  }

  #call(piece: { readonly index?: unknown; readonly id?: unknown; readonly function?: unknown }): void {
    const index = typeof piece.index === "number" && piece.index >= 0 && piece.index < 1_000 ? piece.index : 0;
    const call = this.#calls[index] ??= { id: "", name: "", arguments: "" };
    const { name, arguments: args }: { readonly name?: unknown; readonly arguments?: unknown } =
      typeof piece.function === "object" && piece.function !== null ? piece.function : {};
    if (typeof piece.id === "string" && piece.id !== "") call.id = piece.id;
    if (typeof name === "string" && name !== "") call.name = name;
    const text = typeof args === "string" ? args : "";
    call.arguments += text;
    this.#listener.call?.({ index, id: call.id, name: call.name }, text);
  }
}

function parsed(data: string): { readonly error?: unknown; readonly choices?: unknown } {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    throw new CallError("PROVIDER_BROKE_OFF", "The provider sent a chunk that is no JSON", undefined, { cause: error });
  }
}
