import { CallError } from "@alkdev/operations";
import { AuthUnavailableError } from "../auth/mod.ts";
import { HttpError } from "./http_error.ts";
import type { ServerLog } from "./ports.ts";
import { isStorageAway } from "./storage_away.ts";
import { statusOf } from "./status_codes.ts";

/** The body of every error (RFC 9457). */
export interface Problem {
  /** Stable; listed in docs/errors.md. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  /** Also in the header `x-request-id`, and in the log for an unexpected error. */
  readonly requestId: string;
  /** For validation. `path` is a JSON pointer into the body, `?name` for a query parameter, `:name` for one of the path. */
  readonly errors?: readonly unknown[];
  /** Whatever else the code has to say. */
  readonly details?: unknown;
}

/** An error on the wire. An unexpected one is logged in full and shown as an id. */
export function toProblem(error: unknown, requestId: string, log: ServerLog): Problem {
  if (error instanceof AuthUnavailableError) {
    const [status, title] = statusOf("AUTH_UNAVAILABLE");
    return { code: "AUTH_UNAVAILABLE", title, detail: error.message, status, requestId };
  }
  if (!(error instanceof CallError)) {
    if (isStorageAway(error)) {
      const [status, title] = statusOf("STORAGE_UNAVAILABLE");
      return { code: "STORAGE_UNAVAILABLE", title, detail: "The database cannot be reached now", status, requestId };
    }
    log.error("Unexpected error", { requestId, error });
    const [status, title] = statusOf("INTERNAL_ERROR");
    return { code: "INTERNAL_ERROR", title, detail: `Unexpected error ${requestId}`, status, requestId };
  }
  const [statusByCode, title] = statusOf(error.code);
  const status = error instanceof HttpError && error.status !== null ? error.status : statusByCode;
  const head = { code: error.code, title, detail: error.message, status, requestId };
  const errors = readErrors(error.details);
  if (errors !== null) return { ...head, errors };
  // What failed inside an operation may hold a raw error: its message is enough.
  if (error.details === undefined || error.details instanceof Error) return head;
  return { ...head, details: error.details };
}

/** The response of an error. */
export function problemResponse(error: unknown, requestId: string, log: ServerLog): Response {
  const problem = toProblem(error, requestId, log);
  return new Response(serialize(problem), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-request-id": requestId,
      ...problemHeaders(error, problem),
    },
  });
}

/** What an error says in headers: `Retry-After`, `Allow`, `WWW-Authenticate`. */
export function problemHeaders(error: unknown, problem: Problem): Readonly<Record<string, string>> {
  const own = error instanceof HttpError ? error.headers : {};
  if (problem.status === 429 || problem.status === 503) return { "retry-after": retryAfter(problem.details), ...own };
  return own;
}

/** Whole seconds, one at least; from `details.retryAfterMs` where the code gives it. */
function retryAfter(details: unknown): string {
  const ms = typeof details === "object" && details !== null && "retryAfterMs" in details ? details.retryAfterMs : null;
  return String(typeof ms === "number" && ms > 0 ? Math.ceil(ms / 1000) : 1);
}

function readErrors(details: unknown): readonly unknown[] | null {
  if (typeof details !== "object" || details === null || !("errors" in details)) return null;
  return Array.isArray(details.errors) ? details.errors : null;
}

/** Details come from operations: what JSON cannot hold must not turn one error into another. */
function serialize(problem: Problem): string {
  try {
    return JSON.stringify(problem);
  } catch {
    const { details: _details, errors: _errors, ...rest } = problem;
    return JSON.stringify(rest);
  }
}
