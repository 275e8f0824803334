/**
 * A model provider on the loopback address that speaks OpenAI's wire (`/v1/chat/completions`, `/v1/responses`, `/v1/embeddings`,
 * `/v1/models`) and Anthropic's (`/v1/messages`). Answers follow from what was said (turn.ts), or from what a test has scripted;
 * faults come on demand (fault.ts). Other processes script it over `POST /__admin/{turns,faults,reset}` and read
 * `GET /__admin/requests`.
 */
import {
  message,
  messageChunks,
  type MessagesRequest,
  saidInMessages,
  shapedForMessages,
} from "./anthropic_messages.ts";
import { type Fault, Faults } from "./fault.ts";
import {
  type AnswerHead,
  chatChunks,
  chatCompletion,
  type ChatRequest,
  chatUsage,
  saidInChat,
  shapedForChat,
} from "./openai_chat.ts";
import { embeddings, type EmbeddingsRequest } from "./openai_embeddings.ts";
import {
  responseChunks,
  responseObject,
  type ResponsesRequest,
  type ResponseStatus,
  saidInResponses,
  shapedForResponses,
} from "./openai_responses.ts";
import { pause, streamOf } from "./stream.ts";
import { type Said, type Turn, turnOf, usageOf } from "./turn.ts";

export const FAKE_MODELS: readonly string[] = ["fake-large", "fake-small", "fake-embed"];

/** What the provider was asked. */
export interface SeenRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The bearer key or `x-api-key`; "" without one. */
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface FakeProviderOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Keys that are let in; absent: every key, but not none. */
  readonly keys?: readonly string[];
  /** What the model answers; default: {@linkcode turnOf}. Scripted turns come first. */
  readonly answer?: (messages: readonly Said[]) => Turn;
  /** How many of the newest requests are kept. Default 10,000. */
  readonly keep?: number;
}

/** A running fake provider. */
export class FakeProvider {
  readonly #options: FakeProviderOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #faults = new Faults();
  readonly #turns: Turn[] = [];
  readonly #stored = new Map<
    string,
    { readonly request: ResponsesRequest; readonly turn: Turn; readonly head: AnswerHead; status: ResponseStatus }
  >();
  #requests: SeenRequest[] = [];
  #count = 0;

  constructor(options: FakeProviderOptions = {}) {
    this.#options = options;
    const onListen = (): void => {};
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: options.port ?? 0, onListen },
      (request) => this.#answer(request),
    );
  }

  /** To be given to a client as its base URL is this with `/v1`; Anthropic's clients take it as it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The newest requests, oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  /** All requests to the model so far. */
  get count(): number {
    return this.#count;
  }

  /** The next answers, instead of what would follow from what is said. */
  script(...turns: readonly Turn[]): void {
    this.#turns.push(...turns);
  }

  /** What befalls the next requests. */
  fail(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.add(fault);
  }

  /** Forgets scripts, faults and requests. */
  reset(): void {
    this.#faults.clear();
    this.#turns.length = 0;
    this.#requests = [];
    this.#count = 0;
  }

  async stop(): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const text = request.method === "POST" ? await request.text() : "";
    const body = text === "" ? null : parsed(text);
    if (pathname.startsWith("/__admin/")) return this.#admin(pathname, body);
    const key = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? request.headers.get("x-api-key") ?? "";
    this.#see({
      at: Date.now(),
      method: request.method,
      path: pathname,
      key,
      headers: Object.fromEntries(request.headers),
      body,
    });
    const { keys } = this.#options;
    if (key === "" || (keys !== undefined && !keys.includes(key))) {
      return refusal(pathname, 401, "Incorrect API key provided.", "invalid_api_key");
    }
    if (request.method === "GET" && pathname === "/v1/models") {
      return Response.json({ object: "list", data: FAKE_MODELS.map(modelOf) });
    }
    const stored = /^\/v1\/responses\/([^/]+)(\/cancel)?$/.exec(pathname);
    if (stored !== null) return this.#storedResponse(request.method, stored[1]!, stored[2] !== undefined);
    const fault = this.#faults.take(key);
    if (fault?.kind === "hang") await pause(2 ** 30, request.signal);
    if (fault?.kind === "slow") await pause(fault.ms, request.signal);
    if (fault?.kind === "status") {
      const {
        status,
        message = `Fails on demand with ${status}.`,
        code = status === 429 ? "rate_limit_exceeded" : "server_error",
      } = fault;
      return refusal(pathname, status, message, code, fault.retryAfter);
    }
    const reply = this.#reply(pathname, body, fault, request.signal);
    return reply ?? refusal(pathname, 404, `Unknown request URL: ${request.method} ${pathname}.`, "unknown_url");
  }

  #reply(path: string, body: unknown, fault: Fault | null, signal: AbortSignal): Response | null {
    switch (path) {
      case "/v1/chat/completions": {
        const request = body as ChatRequest;
        const turn = shapedForChat(request, this.#turn(saidInChat(request)));
        const head = this.#head("chatcmpl", chatUsage(request, turn), fault);
        return request.stream
          ? streamOf(chatChunks(request, turn, head), fault, signal)
          : whole(chatCompletion(request, turn, head), fault);
      }
      case "/v1/responses": {
        const request = body as ResponsesRequest;
        const said = saidInResponses(request);
        const turn = shapedForResponses(request, this.#turn(said));
        const head = this.#head("resp", usageOf(said, turn), fault);
        const status = request.background ? "queued" : "completed";
        if (request.store !== false) this.#stored.set(head.id, { request, turn, head, status });
        return request.stream
          ? streamOf(responseChunks(request, turn, head), fault, signal)
          : whole(responseObject(request, turn, head, status), fault);
      }
      case "/v1/embeddings":
        return whole(embeddings(body as EmbeddingsRequest), fault);
      case "/v1/messages": {
        const request = body as MessagesRequest;
        const said = saidInMessages(request);
        const turn = shapedForMessages(request, this.#turn(said));
        const head = this.#head("msg", usageOf(said, turn), fault);
        return request.stream
          ? streamOf(messageChunks(request, turn, head), fault, signal)
          : whole(message(request, turn, head), fault);
      }
      default:
        return null;
    }
  }

  /** A response in the background is done when it is asked for the second time. */
  #storedResponse(method: string, id: string, cancels: boolean): Response {
    const found = this.#stored.get(id);
    if (found === undefined) return refusal("", 404, `Response with id '${id}' not found.`, "response_not_found");
    if (method === "DELETE") {
      this.#stored.delete(id);
      return Response.json({ id, object: "response", deleted: true });
    }
    const { request, turn, head, status } = found;
    if (cancels && status !== "completed") found.status = "cancelled";
    else if (status === "queued") found.status = "completed";
    return Response.json(responseObject(request, turn, head, cancels ? found.status : status));
  }

  #turn(messages: readonly Said[]): Turn {
    return this.#turns.shift() ?? (this.#options.answer ?? turnOf)(messages);
  }

  #head(prefix: string, usage: { readonly input: number; readonly output: number }, fault: Fault | null): AnswerHead {
    const id = `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`;
    const said = fault?.kind === "no-usage" ? null : fault?.kind === "wrong-usage" ? fault : usage;
    return { id, created: Math.floor(Date.now() / 1000), usage: said };
  }

  #see(request: SeenRequest): void {
    this.#count++;
    this.#requests.push(request);
    const { keep = 10_000 } = this.#options;
    if (this.#requests.length > keep * 2) this.#requests = this.#requests.slice(-keep);
  }

  #admin(path: string, body: unknown): Response {
    switch (path) {
      case "/__admin/requests":
        return Response.json({ count: this.#count, requests: this.#requests });
      case "/__admin/turns":
        this.script(...body as Turn[]);
        break;
      case "/__admin/faults":
        this.fail(...body as Fault[]);
        break;
      case "/__admin/reset":
        this.reset();
        break;
      default:
        return new Response(null, { status: 404 });
    }
    return new Response(null, { status: 204 });
  }
}

function whole(answer: object, fault: Fault | null): Response {
  const text = JSON.stringify(answer);
  if (fault?.kind === "malformed") {
    return new Response(text.slice(0, text.length / 2), { headers: { "content-type": "application/json" } });
  }
  if (fault?.kind !== "cut") return new Response(text, { headers: { "content-type": "application/json" } });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text.slice(0, text.length / 2))),
    pull: (controller) => controller.error(new Error("cut on demand")),
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function refusal(path: string, status: number, text: string, code: string, retryAfter?: string): Response {
  const type = status === 429
    ? "rate_limit_error"
    : status === 401
    ? "authentication_error"
    : status < 500
    ? "invalid_request_error"
    : "api_error";
  const body = path === "/v1/messages"
    ? { type: "error", error: { type, message: text } }
    : { error: { message: text, type, param: null, code } };
  return Response.json(body, { status, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } });
}

function modelOf(id: string): object {
  return { id, object: "model", created: 1_700_000_000, owned_by: "fake" };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
