import { HubError, HubTimeoutError, RunFailedError } from "./hub_error.ts";
import { readServerSentEvents, type ServerSentEvent } from "./server_sent_events.ts";
import { backoffMs, pause, type Transport } from "./transport.ts";
import type { Call, Page, RunEvent, RunGraph, RunView, WhyEntry } from "./types.ts";

const TERMINAL: ReadonlySet<string> = new Set(["run.completed", "run.failed", "run.aborted"]);

export interface WatchOptions {
  /** Seq after which to begin. Default 0: from the first. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** How long the hub may stay away before the watch fails. Default 60,000. */
  readonly maxAwayMs?: number;
}

/** One run of the hub. */
export class RunHandle<Output = unknown> {
  readonly id: string;
  readonly #transport: Transport;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
  }

  get(options: { readonly signal?: AbortSignal } = {}): Promise<RunView<Output>> {
    return this.#transport.json("GET", this.#path(), options);
  }

  /** The graph, now or as of a past event. */
  graph(options: { readonly at?: number; readonly data?: boolean } = {}): Promise<RunGraph> {
    return this.#transport.json("GET", this.#path("/graph"), { query: { ...options } });
  }

  /** All calls of the run. */
  async calls(): Promise<readonly Call[]> {
    return (await this.#transport.json<Page<Call>>("GET", this.#path("/calls"))).items;
  }

  /** What each node that is not moving waits for. */
  async why(): Promise<readonly WhyEntry[]> {
    return (await this.#transport.json<Page<WhyEntry>>("GET", this.#path("/why"))).items;
  }

  /**
   * Every event, live, each once and in order, up to the terminal one. A connection that drops is opened again after the last
   * event seen, across restarts of the hub.
   *
   * @throws {HubError} when the hub refuses, the last connection error when it stays away
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    const { signal, maxAwayMs = 60_000 } = options;
    let after = options.after ?? 0;
    let awaySince: number | null = null;
    for (let failures = 0;; failures++) {
      try {
        for await (const sent of this.#stream(after, signal)) {
          if (sent.type === "error") throw new HubError(JSON.parse(sent.data));
          const event: RunEvent = JSON.parse(sent.data);
          failures = 0;
          awaySince = null;
          if (event.seq <= after) continue;
          after = event.seq;
          yield event;
          if (TERMINAL.has(event.type)) return;
        }
        if ((await this.#hasEnded(after, signal))) return;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof HubError && error.status < 500 && error.status !== 429) throw error;
        awaySince ??= Date.now();
        if (Date.now() - awaySince >= maxAwayMs) throw error;
      }
      await pause(backoffMs(Math.min(failures, 6)), signal);
    }
  }

  /**
   * Resolves when the run has ended, with the run as it then is, however it ended.
   *
   * @throws {HubTimeoutError} when it has not ended after `timeoutMs`
   */
  async wait(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<RunView<Output>> {
    const { timeoutMs, signal } = options;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = timeoutMs === undefined
      ? undefined
      : setTimeout(() => stop.abort(new HubTimeoutError(`The end of run ${this.id}`, timeoutMs)), timeoutMs);
    try {
      const events = this.watch({ signal: stop.signal });
      while (!(await events.next()).done);
      return await this.get({ signal: stop.signal });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * The output, when the run has completed.
   *
   * @throws {RunFailedError} when it failed or was aborted
   */
  async result(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<Output> {
    return outputOf(await this.wait(options));
  }

  /** Answers a Signal or Approval that the run waits for; durable when it resolves. */
  async signal(name: string, payload: unknown = null): Promise<void> {
    await this.#transport.json("POST", this.#path(`/signals/${encodeURIComponent(name)}`), { body: payload });
  }

  abort(reason?: string): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path("/abort"), { body: reason === undefined ? {} : { reason } });
  }

  pause(): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path("/pause"), { isSafe: true });
  }

  resume(): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path("/resume"), { isSafe: true });
  }

  /** A new run of the same workflow: from the start, from some nodes on, or of all that had failed. */
  async rerun(options: RerunOptions = {}): Promise<RunHandle<Output>> {
    return await this.#derive("/rerun", options);
  }

  /** A new run that takes over what had completed, of any run, as it is or as of a past event. */
  async fork(options: ForkOptions = {}): Promise<RunHandle<Output>> {
    return await this.#derive("/fork", options);
  }

  async #derive(path: string, body: object): Promise<RunHandle<Output>> {
    const { id } = await this.#transport.json<{ readonly id: string }>("POST", this.#path(path), { body });
    return new RunHandle(this.#transport, id);
  }

  async *#stream(after: number, signal?: AbortSignal): AsyncGenerator<ServerSentEvent, void, undefined> {
    const response = await this.#transport.send("GET", this.#path("/events"), {
      accept: "text/event-stream",
      headers: { "last-event-id": String(after) },
      isSafe: false, // the watch itself comes back
      ...(signal !== undefined && { signal }),
    });
    if (response.body !== null) yield* readServerSentEvents(response.body);
  }

  /** A stream that ends without a terminal event: of a hub that stops, or because nothing follows `after`. */
  async #hasEnded(after: number, signal?: AbortSignal): Promise<boolean> {
    const { completedAt, lastSeq } = await this.get(signal === undefined ? {} : { signal });
    return completedAt !== null && lastSeq <= after;
  }

  #path(rest = ""): string {
    return `/api/runs/${encodeURIComponent(this.id)}${rest}`;
  }
}

export interface RerunOptions {
  /** These nodes, Map items or branches run again, and all that comes after them. */
  readonly from?: readonly string[];
  /** What had completed is reused. */
  readonly fromFailed?: boolean;
  readonly input?: unknown;
  readonly version?: string;
}

export interface ForkOptions {
  readonly from?: readonly string[];
  readonly input?: unknown;
  readonly version?: string;
  /** Seq of the event as of which the run is looked at. */
  readonly at?: number;
}

/** @throws {RunFailedError} */
export function outputOf<Output>(run: RunView<Output>): Output {
  if (run.status === "failed" || run.status === "aborted") {
    throw new RunFailedError({ runId: run.id, status: run.status, error: run.error });
  }
  return run.output as Output;
}
