import assert from "node:assert/strict";
import type { FuzzRequest } from "./route_arbitrary.ts";

/** Longest that an answer's first bytes may take, in ms: `Prefer: wait` is asked for a second at most, on a busy machine. */
const ANSWER_MS = 8_000;
/** How much of a stream of events is waited for, in ms. */
const STREAM_MS = 100;
/** Codes that a request may choose itself. */
const OWN_CODES = /\/operations\/core\.fail$/;

/** Every code that docs/errors.md lists. */
export async function documentedCodes(): Promise<ReadonlySet<string>> {
  const text = await Deno.readTextFile(new URL("../../docs/errors.md", import.meta.url));
  return new Set([...text.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code = ""]) => code));
}

/**
 * Sends a request and reads its answer. Gives the status.
 *
 * @throws where the hub hangs, fails, or refuses in a way that docs/errors.md does not tell
 */
export async function checkAnswer(
  url: string,
  key: string | null,
  request: FuzzRequest,
  codes: ReadonlySet<string>,
): Promise<number> {
  const response = await fetch(url + request.path, {
    method: request.method,
    headers: { ...request.headers, ...(key !== null && { authorization: `Bearer ${key}` }) },
    body: request.body,
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) {
    await readAWhile(response.body!);
    return response.status;
  }
  const text = await response.text();
  assert.notEqual(response.status, 500, text);
  if (response.status < 400) return response.status;
  if (request.path.startsWith("/v1/") && type.startsWith("application/json")) return checkOpenAiError(response, text);
  assert.match(type, /^application\/problem\+json/, `${response.status} ${type} ${text.slice(0, 500)}`);
  const problem = JSON.parse(text) as Record<string, unknown>;
  assert.equal(problem["status"], response.status);
  assert.equal(problem["requestId"], response.headers.get("x-request-id"));
  for (const field of ["code", "title", "detail"]) assert.equal(typeof problem[field], "string", `${field}: ${text}`);
  if (!OWN_CODES.test(request.path)) assert.ok(codes.has(String(problem["code"])), `Not in docs/errors.md: ${text}`);
  // What is said of a mistake is for a person to read, not the mistake again at full length.
  assert.ok(text.length < 20_000, `An error of ${text.length} characters: ${text.slice(0, 300)}`);
  return response.status;
}

/** The routes under `/v1` have errors of OpenAI's shape; what is no route has not. */
function checkOpenAiError({ status }: Response, text: string): number {
  const { error } = JSON.parse(text) as { readonly error: Record<string, unknown> };
  for (const field of ["message", "type"]) assert.equal(typeof error[field], "string", `${field}: ${text}`);
  for (const field of ["param", "code"]) assert.ok(field in error, `${field}: ${text}`);
  assert.ok(text.length < 20_000, `An error of ${text.length} characters: ${text.slice(0, 300)}`);
  return status;
}

async function readAWhile(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), STREAM_MS));
  for (;;) {
    const step = await Promise.race([reader.read(), over]);
    if (step === null || step.done) break;
  }
  clearTimeout(timer);
  await reader.cancel().catch(() => {});
}
