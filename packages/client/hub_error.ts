/** One thing that is wrong with a request. */
export interface FieldProblem {
  /** JSON pointer into the body, `?name` for a query parameter, `:name` for one of the path, or a header's name. */
  readonly path: string;
  readonly message: string;
}

/** What the hub says of a refused request (RFC 9457, `application/problem+json`). */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly requestId?: string;
  readonly errors?: readonly FieldProblem[];
  readonly details?: unknown;
}

/** The hub has answered with an error. `code` is stable: see the hub's docs/errors.md. */
export class HubError extends Error {
  /** `RUN_NOT_FOUND`, `VALIDATION_ERROR`, `OVERLOADED` … */
  readonly code: string;
  /** Of the HTTP response. */
  readonly status: number;
  readonly title: string;
  /** To be found in the hub's log. */
  readonly requestId: string | null;
  /** Empty but for validation. */
  readonly errors: readonly FieldProblem[];
  readonly details: unknown;
  /** When to ask again, in ms; null: it does not say. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null = null) {
    super(problem.detail);
    this.name = "HubError";
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.requestId = problem.requestId ?? null;
    this.errors = problem.errors ?? [];
    this.details = problem.details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No hub answers, or the answer breaks off. */
export class HubConnectionError extends Error {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`No hub answers at ${url}`, { cause });
    this.name = "HubConnectionError";
    this.url = url;
  }
}

/** An answer, or the end of a run, did not come in time. */
export class HubTimeoutError extends Error {
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what} did not come within ${timeoutMs} ms`);
    this.name = "HubTimeoutError";
    this.timeoutMs = timeoutMs;
  }
}

/** A run that was waited for has failed or was aborted. */
export class RunFailedError extends Error {
  readonly runId: string;
  readonly status: "failed" | "aborted";
  /** Of the error that failed it; `ABORTED` for an aborted one. */
  readonly code: string;
  /** Where it failed; null: at no node in particular. */
  readonly nodeKey: string | null;
  readonly details: unknown;

  constructor(
    params: {
      readonly runId: string;
      readonly status: "failed" | "aborted";
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly nodeKey?: string | null;
        readonly details?: unknown;
      } | null;
    },
  ) {
    super(params.error?.message ?? `Run ${params.runId} was ${params.status}`);
    this.name = "RunFailedError";
    this.runId = params.runId;
    this.status = params.status;
    this.code = params.error?.code ?? "ABORTED";
    this.nodeKey = params.error?.nodeKey ?? null;
    this.details = params.error?.details;
  }
}
