import { HubError } from "./hub_error.ts";
import { type CallOptions, outputOf, RunHandle } from "./run_handle.ts";
import { readServerSentEvents } from "./server_sent_events.ts";
import { Transport, type TransportOptions } from "./transport.ts";
import type {
  Approval,
  Envelope,
  Operation,
  Run,
  RunFilter,
  RunView,
  StartOptions,
  Workflow,
  WorkflowView,
} from "./types.ts";

/** How long a start waits for the run's end before the run is watched instead, in seconds. */
const WAIT_SECONDS = 20;

/**
 * A hub, over its HTTP API. Works on Deno, Node 20 and in a browser.
 *
 * ```ts ignore
 * const hub = new HubClient({ url: "http://127.0.0.1:8787", key });
 * const { greeting } = await hub.run<{ greeting: string }>("hello", { name: "Ada" });
 * ```
 */
export class HubClient {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  /** For routes that have no method here: retries, errors and time-outs are the same. */
  get transport(): Transport {
    return this.#transport;
  }

  /** Starts a run; it is durable when this resolves. */
  async start<Output = unknown>(
    workflow: string,
    input?: unknown,
    { signal, ...options }: StartOptions & CallOptions = {},
  ): Promise<RunHandle<Output>> {
    const asked = signal === undefined ? {} : { signal };
    const { id } = await this.#start<{ readonly id: string }>(workflow, input, options, asked);
    return new RunHandle(this.#transport, id);
  }

  /**
   * Starts a run and gives its output.
   *
   * @throws {RunFailedError} when it fails or is aborted
   */
  async run<Output = unknown>(
    workflow: string,
    input?: unknown,
    options: StartOptions & { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Output> {
    const { timeoutMs, signal, ...start } = options;
    const begunAt = Date.now();
    const seconds = Math.min(WAIT_SECONDS, timeoutMs === undefined ? WAIT_SECONDS : timeoutMs / 1000);
    const answer = await this.#start<RunView<Output>>(workflow, input, start, {
      headers: { prefer: `wait=${Math.max(1, Math.floor(seconds))}` },
      ...(signal !== undefined && { signal }),
    });
    if (answer.completedAt) return outputOf(answer);
    return await new RunHandle<Output>(this.#transport, answer.id).result({
      ...(signal !== undefined && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs: Math.max(0, timeoutMs - (Date.now() - begunAt)) }),
    });
  }

  /** A run by its id; nothing is asked yet. */
  handle<Output = unknown>(runId: string): RunHandle<Output> {
    return new RunHandle(this.#transport, runId);
  }

  /** Runs, newest first, page by page as they are read. */
  runs(filter: RunFilter = {}, options: CallOptions = {}): AsyncGenerator<Run, void, undefined> {
    return this.#transport.pages<Run>("/api/runs", { ...filter }, options);
  }

  workflows(options: CallOptions = {}): AsyncGenerator<Workflow, void, undefined> {
    return this.#transport.pages<Workflow>("/api/workflows", {}, options);
  }

  workflow(name: string, options: CallOptions = {}): Promise<WorkflowView> {
    return this.#transport.json("GET", `/api/workflows/${encodeURIComponent(name)}`, options);
  }

  /** Registers a template given as JSON: `{template, inputSchema?, outputSchema?, title?, description?}`. */
  register(
    name: string,
    workflow: Readonly<Record<string, unknown>>,
    options: CallOptions = {},
  ): Promise<WorkflowView> {
    return this.#transport.json("PUT", `/api/workflows/${encodeURIComponent(name)}`, { body: workflow, ...options });
  }

  /** Questions that live runs ask, longest waiting first; answered by `handle(runId).signal(name, payload)`. */
  approvals(
    filter: { readonly workflow?: string; readonly all?: boolean } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Approval, void, undefined> {
    return this.#transport.pages<Approval>("/api/approvals", { ...filter }, options);
  }

  /** Answers one of the {@linkcode HubClient.approvals}. */
  answer({ runId, key }: Pick<Approval, "runId" | "key">, payload: unknown, options: CallOptions = {}): Promise<void> {
    return this.handle(runId).signal(key, payload, options);
  }

  operations(
    filter: { readonly q?: string; readonly namespace?: string } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Operation, void, undefined> {
    return this.#transport.pages<Operation>("/api/operations", { ...filter }, options);
  }

  /** Calls one operation, outside of any run. */
  call<Data = unknown>(
    operationId: string,
    input: unknown = {},
    options: CallOptions & { readonly timeoutMs?: number } = {},
  ): Promise<Envelope<Data>> {
    return this.#transport.json("POST", `/api/operations/${encodeURIComponent(operationId)}`, {
      body: { input },
      ...options,
    });
  }

  /** The values of a subscription. */
  async *stream<Data = unknown>(
    operationId: string,
    input: unknown = {},
    options: CallOptions = {},
  ): AsyncGenerator<Envelope<Data>, void, undefined> {
    const path = `/api/operations/${encodeURIComponent(operationId)}/stream`;
    const query = { input: JSON.stringify(input) };
    const response = await this.#transport.send("GET", path, {
      query,
      accept: "text/event-stream",
      isSafe: false,
      ...options,
    });
    if (response.body === null) return;
    for await (const { type, data } of readServerSentEvents(response.body)) {
      if (type === "error") throw new HubError(JSON.parse(data));
      if (type === "end") return;
      yield JSON.parse(data);
    }
  }

  /** With an idempotency key, so that it may be sent again when its answer is lost. */
  #start<T>(
    workflow: string,
    input: unknown,
    { idempotencyKey = freshKey(), ...options }: StartOptions,
    { headers = {}, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
  ): Promise<T> {
    return this.#transport.json("POST", `/api/workflows/${encodeURIComponent(workflow)}/runs`, {
      body: input === undefined ? options : { input, ...options },
      headers: { "idempotency-key": idempotencyKey, ...headers },
      isSafe: true,
      ...(signal !== undefined && { signal }),
    });
  }
}

/** `crypto.randomUUID` is kept from pages that did not come over TLS. */
function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
