import { type TObject, Type } from "@alkdev/typebox";
import { refusalOf } from "../inference/mod.ts";
import type { Problem } from "./problem.ts";
import { nullable } from "./schemas/nullable.ts";

/** The form that {@linkcode openAiErrorResponse} makes. */
export const OpenAiErrorSchema: TObject = Type.Object({
  error: Type.Object({
    message: Type.String(),
    type: Type.String(),
    param: nullable(Type.String()),
    code: nullable(Type.String()),
  }),
}, { $id: "OpenAiError" });

const OPENAI = /^[a-z]+:\/\/[^/]*\/v1(?:[/?]|$)/;

/** What OpenAI calls the hub's own errors. */
const CODES: ReadonlyMap<string, readonly [type: string, code: string | null]> = new Map([
  ["UNAUTHENTICATED", ["invalid_request_error", "invalid_api_key"]],
  ["ROUTE_NOT_FOUND", ["invalid_request_error", "unknown_url"]],
  ["ACCESS_DENIED", ["invalid_request_error", "insufficient_permissions"]],
  ["RATE_LIMITED", ["requests", "rate_limit_exceeded"]],
  ["OVERLOADED", ["requests", "rate_limit_exceeded"]],
  ["BUDGET_EXCEEDED", ["insufficient_quota", "insufficient_quota"]],
]);

/** Whether OpenAI's clients ask here, who read an error in no other form. */
export function speaksOpenAi(url: string): boolean {
  return OPENAI.test(url);
}

/** An error in the form that OpenAI's clients read, with its status and its `Retry-After`. */
export function openAiErrorResponse(error: unknown, problem: Problem): Response {
  const refusal = refusalOf(error);
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-request-id": problem.requestId,
  });
  if (refusal !== null) {
    if (refusal.retryAfter !== undefined) headers.set("retry-after", refusal.retryAfter);
    return new Response(JSON.stringify({ error: refusal.error }), { status: refusal.status, headers });
  }
  const { status, code, detail, errors } = problem;
  const [type, openAiCode] = CODES.get(code) ??
    [status < 500 ? "invalid_request_error" : "server_error", status < 500 ? null : code.toLowerCase()];
  if (status === 429 || status === 503) headers.set("retry-after", "1");
  const param = paramOf(errors);
  const body = { error: { message: detail, type, param, code: openAiCode } };
  return new Response(JSON.stringify(body), { status, headers });
}

function paramOf(errors: readonly unknown[] | undefined): string | null {
  const [first] = errors ?? [];
  if (typeof first !== "object" || first === null || !("path" in first) || typeof first.path !== "string") return null;
  return first.path === "" ? null : first.path.replace(/^\//, "").replaceAll("/", ".");
}
