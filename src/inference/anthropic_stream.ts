import { type AnthropicBlock, anthropicUsage, errorOf, finishOf, openAiUsage } from "./anthropic_answer.ts";
import type { OpenAiError } from "./inference_error.ts";
import { dataOf, SseSplitter } from "./sse_splitter.ts";
import type { TokenUsage } from "./usage.ts";
import type { StreamReader } from "./wire.ts";

interface AnthropicEvent {
  readonly type: string;
  readonly index?: number;
  readonly message?: { readonly id?: string; readonly usage?: unknown };
  readonly content_block?: AnthropicBlock;
  readonly delta?: {
    readonly type?: string;
    readonly text?: string;
    readonly partial_json?: string;
    readonly stop_reason?: string | null;
  };
  readonly usage?: unknown;
  readonly error?: { readonly type?: unknown; readonly message?: unknown };
}

/** A stream of messages' events, given on as chat completion chunks. */
export class AnthropicStream implements StreamReader {
  readonly #events = new SseSplitter();
  readonly #model: string;
  readonly #keepsUsage: boolean;
  readonly #created = Math.floor(Date.now() / 1000);
  #id = "";
  /** Which tool call a block is. */
  readonly #calls = new Map<number, number>();
  readonly #said: string[] = [];
  #finish = "stop";
  hasBegun = false;
  isComplete = false;
  error: OpenAiError | null = null;
  usage: TokenUsage | null = null;
  readonly responseId: null = null;

  constructor(options: { readonly model: string; readonly keepsUsage: boolean }) {
    this.#model = options.model;
    this.#keepsUsage = options.keepsUsage;
  }

  read(text: string): string {
    let out = "";
    for (const event of this.#events.push(text)) {
      const data = dataOf(event);
      if (data !== null) out += this.#take(JSON.parse(data));
    }
    return out;
  }

  #take(event: AnthropicEvent): string {
    switch (event.type) {
      case "message_start":
        this.#id = event.message?.id ?? "";
        this.#use(event.message?.usage);
        return this.#chunk({ role: "assistant", content: "", refusal: null });
      case "content_block_start":
        return this.#begin(event.index ?? 0, event.content_block);
      case "content_block_delta":
        return this.#delta(event.index ?? 0, event.delta);
      case "message_delta":
        this.#finish = finishOf(event.delta?.stop_reason);
        this.#use(event.usage);
        return "";
      case "message_stop":
        return this.#end();
      case "error":
        this.error = errorOf(event.error ?? {});
        return "";
      default:
        return "";
    }
  }

  #begin(index: number, block: AnthropicBlock | undefined): string {
    if (block?.type !== "tool_use") return "";
    this.hasBegun = true;
    const at = this.#calls.size;
    this.#calls.set(index, at);
    const { id, name } = block;
    return this.#chunk({ tool_calls: [{ index: at, id, type: "function", function: { name, arguments: "" } }] });
  }

  #delta(index: number, delta: AnthropicEvent["delta"]): string {
    if (delta?.type === "text_delta" && delta.text !== undefined) {
      this.hasBegun = true;
      this.#said.push(delta.text);
      return this.#chunk({ content: delta.text });
    }
    if (delta?.type !== "input_json_delta" || delta.partial_json === undefined) return "";
    this.#said.push(delta.partial_json);
    const call = { index: this.#calls.get(index) ?? 0, function: { arguments: delta.partial_json } };
    return this.#chunk({ tool_calls: [call] });
  }

  #end(): string {
    this.isComplete = true;
    this.hasBegun = true;
    const last = this.#chunk({}, this.#finish);
    const used = this.#keepsUsage && this.usage !== null
      ? this.#frame({ choices: [], usage: openAiUsage(this.usage) })
      : "";
    return `${last}${used}data: [DONE]\n\n`;
  }

  /** The first event tells the input, the last one the output. */
  #use(usage: unknown): void {
    const used = anthropicUsage(usage);
    if (used === null) return;
    this.usage = used.inputTokens > 0 ? used : {
      inputTokens: this.usage?.inputTokens ?? 0,
      cachedInputTokens: this.usage?.cachedInputTokens ?? 0,
      outputTokens: used.outputTokens,
    };
  }

  #chunk(delta: object, finish_reason: string | null = null): string {
    return this.#frame({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  }

  #frame(fields: object): string {
    const head = {
      id: `chatcmpl-${this.#id}`,
      object: "chat.completion.chunk",
      created: this.#created,
      model: this.#model,
    };
    return `data: ${JSON.stringify({ ...head, ...fields })}\n\n`;
  }

  said(): string {
    return this.#said.join("");
  }

  failure(error: OpenAiError): string {
    return `data: ${JSON.stringify({ error })}\n\n`;
  }
}
