import { Type } from "@alkdev/typebox";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import { defineOperation } from "./define_operation.ts";
import { readLimited } from "./read_limited.ts";

/** What `core.http` works with. */
export interface HttpOptions {
  /** As `host` (the scheme's own port) or `host:port`. */
  readonly hosts: readonly string[];
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 5;
const DEFAULT_TIMEOUT_MS = 30_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** `{url, method?, headers?, body?, timeoutMs?} -> {status, headers, body}`; a JSON body is given parsed, any other as text. */
export function coreHttp({ hosts, fetch, clock }: HttpOptions): OperationRegistration {
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));
  return defineOperation({
    namespace: "core",
    name: "http",
    type: "mutation",
    title: "HTTP request",
    description: "Makes an HTTP request to one of the hosts that this hub's configuration allows.",
    inputSchema: Type.Object({
      url: Type.String({ minLength: 1, maxLength: 8192 }),
      method: Type.Optional(Type.String({ pattern: "^[A-Za-z]{1,20}$" })),
      headers: Type.Optional(Type.Record(Type.String(), Type.String())),
      body: Type.Optional(Type.Unknown({ description: "Text, or a value to be sent as JSON" })),
      timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    }),
    outputSchema: Type.Object({
      status: Type.Integer(),
      headers: Type.Record(Type.String(), Type.String()),
      body: Type.Unknown(),
    }),
    errorSchemas: [
      { code: "HOST_NOT_ALLOWED", description: "The host is not in the hub's configuration", schema: {} },
      { code: "RESPONSE_TOO_LARGE", description: "The body has more than 1 MiB", schema: {} },
    ],
    handler: async (request, context) => {
      const timeout = new AbortController();
      const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const cancel = clock.at(clock.now() + timeoutMs, () => timeout.abort());
      const signal = context.signal === undefined ? timeout.signal : AbortSignal.any([context.signal, timeout.signal]);
      try {
        return await answer(await follow(fetch, allowed, request, signal), request.url);
      } catch (error) {
        if (context.signal?.aborted) throw new CallError("ABORTED", "Request was aborted", undefined, { cause: error });
        if (timeout.signal.aborted) {
          throw new CallError("TIMEOUT", `"${request.url}" did not answer within ${timeoutMs} ms`, undefined, {
            cause: error,
          });
        }
        if (error instanceof CallError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new CallError("EXECUTION_ERROR", `Request to "${request.url}" failed: ${reason}`, undefined, {
          cause: error,
        });
      } finally {
        cancel();
      }
    },
  });
}

/** Redirects are followed by hand, within the first host: another one may be anybody's. */
async function follow(
  fetch: typeof globalThis.fetch,
  allowed: ReadonlySet<string>,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Response> {
  let url = toAllowedUrl(request.url, allowed);
  const { host } = url;
  let method = (request.method ?? "GET").toUpperCase();
  let body = bodyOf(request.body);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const headers = new Headers(request.headers);
    if (body !== undefined && typeof request.body !== "string" && !headers.has("content-type")) {
      headers.set("content-type", "application/json");
    }
    const init: RequestInit = { method, headers, signal, redirect: "manual", ...(body === undefined ? {} : { body }) };
    const response = await fetch(url, init);
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel();
    url = toAllowedUrl(new URL(location, url).href, allowed);
    if (url.host !== host) {
      throw new CallError("HOST_NOT_ALLOWED", `Redirect from "${host}" to "${url.host}" is not followed`, {
        host: url.host,
      });
    }
    if (response.status === 303 || (method === "POST" && response.status < 303)) {
      method = "GET";
      body = undefined;
    }
  }
  throw new CallError("EXECUTION_ERROR", `"${request.url}" redirects more than ${MAX_REDIRECTS} times`);
}

function toAllowedUrl(address: string, allowed: ReadonlySet<string>): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CallError("VALIDATION_ERROR", `Field "url" is "${address}": wanted an http or https URL`, {
      errors: [{ path: "/url", message: "wanted an http or https URL" }],
    });
  }
  if (allowed.has(url.host)) return url;
  throw new CallError(
    "HOST_NOT_ALLOWED",
    `Host "${url.host}" is not allowed: wanted one of the hosts in the hub's configuration`,
    {
      host: url.host,
    },
  );
}

function bodyOf(body: unknown): string | undefined {
  return body === undefined || typeof body === "string" ? body : JSON.stringify(body);
}

async function answer(
  response: Response,
  url: string,
): Promise<{ status: number; headers: Record<string, string>; body: unknown }> {
  const text = await readLimited(response, MAX_BODY_BYTES, url);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
  return { status: response.status, headers, body: parse(text, headers["content-type"] ?? "") };
}

function parse(text: string, contentType: string): unknown {
  if (!/[/+]json\b/i.test(contentType)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
