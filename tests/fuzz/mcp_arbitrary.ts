/** Requests to `/mcp` of every revision: what clients send, with mistakes, and garbage. */
import fc from "fast-check";
import { hostileText, hostileValue, mutated, toJsonText } from "./hostile.ts";

export interface McpRequest {
  readonly method: "POST" | "GET" | "DELETE" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

const REVISIONS = ["2025-06-18", "2025-11-25", "2026-07-28"];
const META = "io.modelcontextprotocol/";

const named = fc.oneof(fc.constantFrom("hub.list", "hub.search", "hub.schema", "hub.call", "hello"), hostileText);
const uri = fc.oneof(fc.constantFrom("run://x", "run://x/graph", "workflow://hello", "workflow://{name}"), hostileText);
const toolInput = fc.oneof(
  fc.constantFrom<unknown>({}, { operationId: "core.echo", input: { value: 1 } }, { query: "echo" }, {
    operationId: "workflow.hello",
    input: { name: "x" },
  }),
  hostileValue,
);

/** Method and what goes with it. */
const asked: fc.Arbitrary<readonly [string, unknown]> = fc.oneof(
  ask(
    "initialize",
    fc.record({
      protocolVersion: fc.constantFrom(...REVISIONS, "1999-01-01"),
      capabilities: hostileValue,
      clientInfo: fc.record({ name: hostileText, version: hostileText }),
    }),
  ),
  ask("server/discover", fc.constant({})),
  ask("ping", fc.constant({})),
  ask("tools/list", fc.record({ cursor: hostileText }, { requiredKeys: [] })),
  ask("tools/call", fc.record({ name: named, arguments: toolInput })),
  ask(
    "tools/call",
    fc.record({ name: named, arguments: toolInput, requestState: hostileText, inputResponses: hostileValue }),
  ),
  ask("resources/list", fc.record({ cursor: hostileText }, { requiredKeys: [] })),
  ask("resources/templates/list", fc.constant({})),
  ask("resources/read", fc.record({ uri })),
  ask("resources/subscribe", fc.record({ uri })),
  ask("resources/unsubscribe", fc.record({ uri })),
  ask("prompts/list", fc.constant({})),
  ask("prompts/get", fc.record({ name: named, arguments: hostileValue })),
  ask(
    "completion/complete",
    fc.record({
      ref: fc.constantFrom<unknown>({ type: "ref/resource", uri: "run://{id}" }, { type: "ref/prompt", name: "x" }),
      argument: fc.record({ name: fc.constantFrom("id", "name"), value: hostileText }),
    }),
  ),
  ask("logging/setLevel", fc.record({ level: fc.constantFrom("debug", "error", "x") })),
  ask("tasks/get", fc.record({ taskId: hostileText })),
  ask("tasks/update", fc.record({ taskId: hostileText, inputResponses: hostileValue })),
  ask("tasks/cancel", fc.record({ taskId: hostileText })),
  ask("notifications/initialized", fc.constant({})),
  ask("notifications/cancelled", fc.record({ requestId: hostileValue })),
);

const message: fc.Arbitrary<{ readonly method: string; readonly revision: string; readonly body: unknown }> = fc.tuple(
  asked,
  fc.constantFrom(...REVISIONS),
  fc.constantFrom<unknown>(1, "a", 0, -1, null, 2 ** 53),
).map(([[method, params], revision, id]) => {
  const meta = {
    [`${META}protocolVersion`]: revision,
    [`${META}clientCapabilities`]: { extensions: { [`${META}tasks`]: {} } },
  };
  const isNew = revision === "2026-07-28";
  const given = isNew && typeof params === "object" && params !== null ? { ...params, _meta: meta } : params;
  const isNotice = method.startsWith("notifications/");
  return { method, revision, body: { jsonrpc: "2.0", ...(!isNotice && { id }), method, params: given } };
});

/** One request. `session` stands for the id of a session that is open. */
export const mcpRequest: fc.Arbitrary<McpRequest> = fc.oneof(
  { arbitrary: message.map((good) => post(good, good.body)), weight: 5 },
  {
    arbitrary: message.chain((good) => mutated(fc.constant(good.body)).map((body) => post(good, body))),
    weight: 5,
  },
  {
    arbitrary: fc.tuple(message, fc.oneof(hostileValue.map(toJsonText), hostileText))
      .map(([good, body]) => ({ ...post(good, null), body })),
    weight: 1,
  },
  {
    arbitrary: fc.tuple(message, fc.constantFrom("GET", "PUT") as fc.Arbitrary<"GET" | "PUT">, fc.boolean())
      .map(([good, method, inSession]) => ({ ...post(good, null), body: null, method, ...(inSession && {}) })),
    weight: 1,
  },
);

function post({ method, revision }: { readonly method: string; readonly revision: string }, body: unknown): McpRequest {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": revision,
    ...(revision === "2026-07-28" ? { "mcp-method": method, ...nameOf(body) } : { "mcp-session-id": "session" }),
  };
  // A session is opened without one.
  const { "mcp-session-id": _session, ...fresh } = headers as Record<string, string>;
  return { method: "POST", headers: method === "initialize" ? fresh : headers, body: toJsonText(body) };
}

function nameOf(body: unknown): Readonly<Record<string, string>> {
  const text = /"params":\{"(?:name|uri|taskId)":"([\x20-\x21\x23-\x5b\x5d-\x7e]*)"/.exec(toJsonText(body))?.[1];
  return text === undefined ? {} : { "mcp-name": text.trim() };
}

function ask(method: string, params: fc.Arbitrary<unknown>): fc.Arbitrary<readonly [string, unknown]> {
  return params.map((given) => [method, given] as const);
}
