import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import { defineOperation } from "./define_operation.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 1024 * 1024;

/** `http.fetch`: allow-listed hosts only, as `host` (the scheme's own port) or `host:port`. Redirects are answered as they are. */
export function httpOperations(hosts: readonly string[]): readonly SpokeOperation[] {
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));
  return [defineOperation({
    namespace: "http",
    name: "fetch",
    type: "mutation",
    description: "Makes an HTTP request to one of the allowed hosts.",
    errorSchemas: [
      { code: "HOST_NOT_ALLOWED", description: "The host is not allowed on this spoke", schema: {}, httpStatus: 403 },
    ],
    inputSchema: Type.Object({
      url: Type.String({ minLength: 1, maxLength: 8192 }),
      method: Type.Optional(Type.String({ pattern: "^[A-Za-z]{1,20}$" })),
      headers: Type.Optional(Type.Record(Type.String(), Type.String())),
      body: Type.Optional(Type.String()),
      timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    }),
    outputSchema: Type.Object({
      status: Type.Integer(),
      headers: Type.Record(Type.String(), Type.String()),
      body: Type.String(),
      truncated: Type.Boolean(),
    }),
    handler: async ({ url, method = "GET", headers = {}, body, timeoutMs = DEFAULT_TIMEOUT_MS }, context) => {
      const target = URL.canParse(url) ? new URL(url) : null;
      if (target === null || !["http:", "https:"].includes(target.protocol) || !allowed.has(target.host)) {
        const host = target?.host ?? url;
        throw new CallError("HOST_NOT_ALLOWED", `Host "${host}" is not allowed on this spoke`, { host });
      }
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = context.signal === undefined ? timeout : AbortSignal.any([context.signal, timeout]);
      try {
        const init = { method, headers, signal, redirect: "manual" as const, ...(body === undefined ? {} : { body }) };
        const response = await fetch(target, init);
        const { text, truncated } = await readStart(response);
        return { status: response.status, headers: Object.fromEntries(response.headers), body: text, truncated };
      } catch (error) {
        if (context.signal?.aborted) throw new CallError("ABORTED", "Request was aborted");
        if (timeout.aborted) throw new CallError("TIMEOUT", `"${url}" did not answer within ${timeoutMs} ms`);
        throw error;
      }
    },
  })];
}

async function readStart(response: Response): Promise<{ readonly text: string; readonly truncated: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let room = MAX_BODY_BYTES;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk.subarray(0, room), { stream: true });
    room -= chunk.byteLength;
    if (room < 0) return { text, truncated: true };
  }
  return { text: text + decoder.decode(), truncated: false };
}
