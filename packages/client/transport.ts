import { HubConnectionError, HubError, HubTimeoutError, type Problem } from "./hub_error.ts";
import type { Page } from "./types.ts";

/** How a hub is reached. */
export interface TransportOptions {
  /** `http://127.0.0.1:8787`, without `/api`. */
  readonly url: string;
  /** An API key; absent: only what is open to everyone. */
  readonly key?: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** Of one request, to the head of its answer. Default 60,000. */
  readonly timeoutMs?: number;
  /** How often a request that is safe to send again is sent again. Default 4. */
  readonly retries?: number;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Longer than the transport's, for a request that waits on purpose. */
  readonly timeoutMs?: number;
  /** Whether it may be sent twice; default: GET and PUT may. */
  readonly isSafe?: boolean;
}

const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends requests, and sends again what may be: refused connections, overload, an answer that never came. */
export class Transport {
  readonly url: string;
  readonly #options: TransportOptions;
  /** How a response that was read whole lets go of its caller's signal. */
  readonly #unlink = new WeakMap<Response, () => void>();

  constructor(options: TransportOptions) {
    this.url = options.url.replace(/\/+$/, "");
    this.#options = options;
  }

  /** The answer's JSON, as the hub's contract has it; undefined for 204. */
  async json<T>(method: string, path: string, request: RequestOptions = {}): Promise<T> {
    const response = await this.send(method, path, request);
    try {
      if (response.status === 204) return undefined as T;
      return await response.json() as T;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new HubConnectionError(this.url, error);
    } finally {
      this.#unlink.get(response)?.();
    }
  }

  /** All items of a list, page after page as they are read. */
  async *pages<T>(
    path: string,
    query: NonNullable<RequestOptions["query"]>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<T, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const page: Page<T> = await this.json("GET", path, {
        // The first page begins after something; what follows begins where it ended.
        query: { ...query, ...(typeof cursor === "string" && { cursor, after: undefined }) },
        ...(signal !== undefined && { signal }),
      });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  /**
   * A successful answer, its body unread.
   *
   * @throws {HubError} when the hub refuses
   * @throws {HubConnectionError} when none answers, after all retries
   * @throws {HubTimeoutError} when none answers in time
   */
  async send(method: string, path: string, request: RequestOptions = {}): Promise<Response> {
    const { retries = 4 } = this.#options;
    const isSafe = request.isSafe ?? (method === "GET" || method === "PUT");
    for (let attempt = 0;; attempt++) {
      const isLast = !isSafe || attempt >= retries;
      try {
        const response = await this.#once(method, path, request);
        if (response.ok) return response;
        const error = await errorOf(response);
        this.#unlink.get(response)?.();
        if (isLast || !RETRIED_STATUSES.has(response.status)) throw error;
        await pause(error.retryAfterMs ?? backoffMs(attempt), request.signal);
      } catch (error) {
        if (isLast || !(error instanceof HubConnectionError)) throw error;
        await pause(backoffMs(attempt), request.signal);
      }
    }
  }

  async #once(method: string, path: string, request: RequestOptions): Promise<Response> {
    const { key, fetch: send = fetch, timeoutMs: usual = 60_000 } = this.#options;
    const { query = {}, body, signal, accept = "application/json", timeoutMs = usual } = request;
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(each));
    }
    const headers = new Headers({ accept, ...request.headers });
    if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    signal?.throwIfAborted();
    // Ends at the head of the answer; the body has only the caller's signal.
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const timeout = new HubTimeoutError(`An answer to ${method} ${path}`, timeoutMs);
    const timer = setTimeout(() => stop.abort(timeout), timeoutMs);
    try {
      const init: RequestInit = { method, headers, signal: stop.signal };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await send(url, init);
      if (signal !== undefined) this.#unlink.set(response, () => signal.removeEventListener("abort", onAbort));
      return response;
    } catch (error) {
      signal?.removeEventListener("abort", onAbort);
      signal?.throwIfAborted();
      throw stop.signal.aborted ? timeout : new HubConnectionError(this.url, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Grows from 100 ms to 5 s, with a random half so that many clients do not come back at once. */
export function backoffMs(attempt: number): number {
  return Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** Resolves after `ms`. @throws the signal's reason once it is aborted */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

async function errorOf(response: Response): Promise<HubError> {
  const problem = parseProblem(await response.text().catch(() => ""), response);
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return new HubError(problem, Number.isFinite(seconds) ? seconds * 1000 : null);
}

/** What stands in the way may answer for the hub, and in its own words. */
function parseProblem(text: string, { status, statusText }: Response): Problem {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "code" in value && "detail" in value) return value as Problem;
  } catch { /* not ours */ }
  return { code: "HTTP_ERROR", title: statusText, detail: `The hub answered ${status} ${statusText}`.trim(), status };
}
