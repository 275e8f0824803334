import type { OpenAiError } from "./inference_error.ts";
import { dataOf, SseSplitter } from "./sse_splitter.ts";
import { type TokenUsage, usageOfAnswer } from "./usage.ts";
import { openAiErrorOf, type StreamReader } from "./wire.ts";

/** What is kept of a stream for counting. */
const MAX_KEPT = 4 * 1024 * 1024;

/**
 * A stream of chat completion chunks. Events go to the caller as they came; only the one with the usage that the hub asked for
 * is left out where the caller did not. Most events are not parsed: only until the first token, and those that end something.
 */
export class OpenAiChatStream implements StreamReader {
  readonly #events = new SseSplitter();
  readonly #keepsUsage: boolean;
  #kept: string[] = [];
  #keptLength = 0;
  hasBegun = false;
  isComplete = false;
  error: OpenAiError | null = null;
  usage: TokenUsage | null = null;
  readonly responseId: null = null;

  constructor(options: { readonly keepsUsage: boolean }) {
    this.#keepsUsage = options.keepsUsage;
  }

  read(text: string): string {
    let out = "";
    for (const event of this.#events.push(text)) {
      if (this.#takes(event)) out += event;
    }
    return out;
  }

  /** Whether the caller gets it. */
  #takes(event: string): boolean {
    const data = dataOf(event);
    if (data === null) return true;
    if (data === "[DONE]") {
      this.isComplete = true;
      return true;
    }
    if (!data.trimEnd().endsWith("}")) throw new Error("A chunk of the stream is not JSON");
    this.#keep(data);
    const tells = !this.hasBegun || data.includes('"usage":{') || data.includes('"usage": {') ||
      data.includes('"error"') || data.includes('"finish_reason":"') || data.includes('"finish_reason": "');
    return tells ? this.#look(JSON.parse(data)) : true;
  }

  #look(chunk: unknown): boolean {
    const error = openAiErrorOf(chunk);
    if (error !== null) {
      this.error = error;
      return false;
    }
    const { choices, usage }: { readonly choices?: unknown; readonly usage?: unknown } =
      typeof chunk === "object" && chunk !== null ? chunk : {};
    const used = usageOfAnswer(usage);
    if (used !== null) this.usage = used;
    const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
    for (const choice of list) {
      const { delta, finish_reason }: { readonly delta?: unknown; readonly finish_reason?: unknown } =
        typeof choice === "object" && choice !== null ? choice : {};
      if (typeof finish_reason === "string") this.isComplete = true;
      if (finish_reason || saysSomething(delta)) this.hasBegun = true;
    }
    return this.#keepsUsage || used === null || list.length > 0;
  }

  #keep(data: string): void {
    if (this.#keptLength > MAX_KEPT) return;
    this.#kept.push(data);
    this.#keptLength += data.length;
  }

  said(): string {
    const parts: string[] = [];
    const visit = (value: unknown): void => {
      if (typeof value === "string") parts.push(value);
      else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
    };
    for (const data of this.#kept) {
      const { choices }: { readonly choices?: readonly { readonly delta?: Record<string, unknown> }[] } = JSON.parse(
        data,
      );
      for (const { delta = {} } of choices ?? []) {
        const { role: _role, ...rest } = delta;
        visit(rest);
      }
    }
    return parts.join("");
  }

  failure(error: OpenAiError): string {
    return `data: ${JSON.stringify({ error })}\n\n`;
  }
}

function saysSomething(delta: unknown): boolean {
  if (typeof delta !== "object" || delta === null) return false;
  return Object.entries(delta).some(([name, value]) => name !== "role" && value !== "" && value !== null);
}
