import { Type } from "@alkdev/typebox";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import type { Egress } from "../../egress/mod.ts";
import { defineOperation } from "./define_operation.ts";

/** What `core.http` works with. */
export interface HttpOptions {
  /** As `host` (the scheme's own port) or `host:port`. */
  readonly hosts: readonly string[];
  readonly egress: Egress;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Redirects stay within the first host: another one may be anybody's. */
const POLICY = { maxBytes: 1024 * 1024, maxRedirects: 5, sameHost: true } as const;

interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** `{url, method?, headers?, body?, timeoutMs?} -> {status, headers, body}`; a JSON body is given parsed, any other as text. */
export function coreHttp({ hosts, egress }: HttpOptions): OperationRegistration {
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
      { code: "EGRESS_DENIED", description: "The request must not be sent: details.reason says why", schema: {} },
      { code: "RESPONSE_TOO_LARGE", description: "The body has more than 1 MiB", schema: {} },
    ],
    handler: async (request, context) => {
      const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      // An administrator named these hosts: they may be of the hub's own network.
      const policy = { ...POLICY, allowHosts: hosts, allowPrivate: hosts, timeoutMs, totalMs: timeoutMs };
      try {
        return await answer(await egress.fetch(toRequest(request, context.signal), policy));
      } catch (error) {
        throw toCoreHttpError(error, context.signal);
      }
    },
  });
}

function toRequest({ url, method = "GET", headers, body }: HttpRequest, signal: AbortSignal | undefined): Request {
  if (!URL.canParse(url) || !/^https?:/i.test(url)) {
    throw new CallError("VALIDATION_ERROR", `Field "url" is "${url}": wanted an http or https URL`, {
      errors: [{ path: "/url", message: "wanted an http or https URL" }],
    });
  }
  const all = new Headers(headers);
  if (body !== undefined && typeof body !== "string" && !all.has("content-type")) {
    all.set("content-type", "application/json");
  }
  return new Request(url, {
    method: method.toUpperCase(),
    headers: all,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: bodyOf(body) }),
  });
}

/** The allow-list of this operation has had a code of its own from the start. */
function toCoreHttpError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new CallError("ABORTED", "Request was aborted", undefined, { cause: error });
  if (!(error instanceof CallError) || error.code !== "EGRESS_DENIED") return error;
  const { details, message } = error;
  const isList = isRecord(details) && (details.reason === "not-listed" || details.reason === "other-host");
  return isList ? new CallError("HOST_NOT_ALLOWED", message, { host: details.host }, { cause: error }) : error;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function bodyOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

async function answer(
  response: Response,
): Promise<{ status: number; headers: Record<string, string>; body: unknown }> {
  const text = await response.text();
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
