import type { OpenAiError } from "./inference_error.ts";
import { dataOf, SseSplitter } from "./sse_splitter.ts";
import { type TokenUsage, usageOfAnswer } from "./usage.ts";
import type { StreamReader } from "./wire.ts";

const ENDS: ReadonlySet<string> = new Set(["response.completed", "response.incomplete", "response.failed"]);
/** Events that say nothing yet: another provider can still be asked. */
const PREPARES: ReadonlySet<string> = new Set(["response.created", "response.in_progress", "response.queued"]);

interface ResponseEvent {
  readonly type?: unknown;
  readonly sequence_number?: unknown;
  readonly delta?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly param?: unknown;
  readonly response?: { readonly id?: unknown; readonly usage?: unknown; readonly error?: unknown };
}

/** A stream of a response's lifecycle. Events go to the caller as they came. */
export class OpenAiResponsesStream implements StreamReader {
  readonly #events = new SseSplitter();
  #said: string[] = [];
  #sequence = 0;
  hasBegun = false;
  isComplete = false;
  error: OpenAiError | null = null;
  usage: TokenUsage | null = null;
  responseId: string | null = null;

  read(text: string): string {
    let out = "";
    for (const event of this.#events.push(text)) {
      const data = dataOf(event);
      if (data !== null && data !== "[DONE]") this.#look(JSON.parse(data));
      if (this.error === null || this.hasBegun) out += event;
    }
    return out;
  }

  #look(event: ResponseEvent): void {
    const type = typeof event.type === "string" ? event.type : "";
    if (typeof event.sequence_number === "number") this.#sequence = event.sequence_number;
    if (typeof event.delta === "string") this.#said.push(event.delta);
    const { response } = event;
    if (typeof response?.id === "string") this.responseId = response.id;
    if (response?.usage !== undefined) this.usage = usageOfAnswer(response.usage) ?? this.usage;
    if (type === "error" || type === "response.failed") {
      this.error = errorOf(type === "error" ? event : response?.error);
    }
    if (ENDS.has(type)) this.isComplete = true;
    if (!PREPARES.has(type) && this.error === null) this.hasBegun = true;
  }

  said(): string {
    return this.#said.join("");
  }

  failure({ message, code, param }: OpenAiError): string {
    const data = { type: "error", sequence_number: this.#sequence + 1, code: code ?? "server_error", message, param };
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

function errorOf(value: unknown): OpenAiError {
  const { message, code, param }: { readonly message?: unknown; readonly code?: unknown; readonly param?: unknown } =
    typeof value === "object" && value !== null ? value : {};
  return {
    message: typeof message === "string" ? message : "The provider failed",
    type: "server_error",
    param: typeof param === "string" ? param : null,
    code: typeof code === "string" ? code : null,
  };
}
