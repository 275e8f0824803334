import { HubTimeoutError, RunFailedError } from "./hub_error.ts";
import { resumedStream, type ResumeOptions } from "./resumed_stream.ts";
import type { Transport } from "./transport.ts";
import type { Call, LogLevel, LogLine, Page, RunEvent, RunGraph, RunView, WhyEntry } from "./types.ts";

const TERMINAL: ReadonlySet<string> = new Set(["run.completed", "run.failed", "run.aborted"]);

/** A signal that ends what is asked for. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** `after` is the seq after which to begin. */
export type WatchOptions = ResumeOptions;

export interface LogOptions extends ResumeOptions {
  /** Key of a node; without indices, all its items and turns. */
  readonly node?: string;
  /** This level and the graver ones. */
  readonly level?: LogLevel;
  /** Whether to wait for more until the run has ended. Default false. */
  readonly follow?: boolean;
}

/** What can be done to a node: `retry` tries again now what waits for its next attempt, `give-up` lets it fail. */
export type NodeAct = "abort" | "pause" | "resume" | "retry" | "give-up";

/** One run of the hub. */
export class RunHandle<Output = unknown> {
  readonly id: string;
  readonly #transport: Transport;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
  }

  get(options: CallOptions = {}): Promise<RunView<Output>> {
    return this.#transport.json("GET", this.#path(), options);
  }

  /** The graph, now or as of a past event. */
  graph({ signal, ...query }: CallOptions & { readonly at?: number; readonly data?: boolean } = {}): Promise<RunGraph> {
    return this.#transport.json("GET", this.#path("/graph"), { query, ...(signal !== undefined && { signal }) });
  }

  /** All calls of the run. */
  async calls(options: CallOptions = {}): Promise<readonly Call[]> {
    return (await this.#transport.json<Page<Call>>("GET", this.#path("/calls"), options)).items;
  }

  /** What each node that is not moving waits for. */
  async why(options: CallOptions = {}): Promise<readonly WhyEntry[]> {
    return (await this.#transport.json<Page<WhyEntry>>("GET", this.#path("/why"), options)).items;
  }

  /**
   * Every event, live, each once and in order, up to the terminal one. A connection that drops is opened again after the last
   * event seen, across restarts of the hub.
   *
   * @throws {HubError} when the hub refuses, the last connection error when it stays away
   */
  watch(options: WatchOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return resumedStream<RunEvent>({
      transport: this.#transport,
      path: this.#path("/events"),
      parse: ({ data }) => {
        const value: RunEvent = JSON.parse(data);
        return { id: value.seq, value, isLast: TERMINAL.has(value.type) };
      },
      hasEnded: (seq) => this.#hasEnded(seq, options.signal),
    }, options);
  }

  /**
   * What handlers and spokes said while they worked: what there is, or with `follow` also what comes, until the run has ended.
   * Resumes as {@linkcode RunHandle.watch} does.
   */
  logs({ node, level, follow = false, ...options }: LogOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    const query = { node, level };
    const path = this.#path("/logs");
    if (!follow) return this.#transport.pages<LogLine>(path, { ...query, after: options.after }, options);
    return resumedStream<LogLine>({
      transport: this.#transport,
      path,
      query,
      parse: ({ type, data }) => {
        if (type === "end") return null;
        const value: LogLine = JSON.parse(data);
        return { id: value.id, value, isLast: false };
      },
      hasEnded: () => Promise.resolve(false),
    }, options);
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

  /**
   * Answers a Signal or Approval that the run waits for, or will wait for; durable when it resolves. Sent
   * once: a second answer is refused with code `SIGNAL_ANSWERED`.
   */
  async signal(name: string, payload: unknown = null, options: CallOptions = {}): Promise<void> {
    await this.#transport.json("POST", this.#path(`/signals/${encodeURIComponent(name)}`), {
      body: payload,
      ...options,
    });
  }

  abort(reason?: string, options: CallOptions = {}): Promise<RunView<Output>> {
    const body = reason === undefined ? {} : { reason };
    return this.#transport.json("POST", this.#path("/abort"), { body, ...options });
  }

  pause(options: CallOptions = {}): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path("/pause"), { isSafe: true, ...options });
  }

  resume(options: CallOptions = {}): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path("/resume"), { isSafe: true, ...options });
  }

  /** Does something to one node, container or item of a Map (`files[3]`). */
  actOnNode(key: string, act: NodeAct, options: CallOptions = {}): Promise<RunView<Output>> {
    return this.#transport.json("POST", this.#path(`/nodes/${encodeURIComponent(key)}/${act}`), options);
  }

  /** A new run of the same workflow: from the start, from some nodes on, or of all that had failed. */
  async rerun({ signal, ...body }: RerunOptions & CallOptions = {}): Promise<RunHandle<Output>> {
    return await this.#derive("/rerun", body, signal);
  }

  /** A new run that takes over what had completed, of any run, as it is or as of a past event. */
  async fork({ signal, ...body }: ForkOptions & CallOptions = {}): Promise<RunHandle<Output>> {
    return await this.#derive("/fork", body, signal);
  }

  async #derive(path: string, body: object, signal: AbortSignal | undefined): Promise<RunHandle<Output>> {
    const options = signal === undefined ? { body } : { body, signal };
    const { id } = await this.#transport.json<{ readonly id: string }>("POST", this.#path(path), options);
    return new RunHandle(this.#transport, id);
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
