/** Messages to `/ws`: of the call protocol, of spokes, with mistakes, and garbage. */
import fc from "fast-check";
import { hostileText, hostileValue, mutated, toJsonText } from "./hostile.ts";

export type Frame = string | { readonly binary: string };

const requestId = fc.oneof(fc.constantFrom("r1", "r2", "r3"), fc.uuid());

const operationSpec = fc.record({
  namespace: fc.constantFrom("fuzz", "fuzz", "core", "x"),
  name: fc.constantFrom("a", "b", "c.d"),
  version: fc.constantFrom("1.0.0", "1.0.1", "2.0.0-rc.1"),
  type: fc.constantFrom("query", "mutation", "subscription"),
  description: hostileText,
  inputSchema: fc.constantFrom<unknown>(true, {}, { type: "object" }, { type: "string", pattern: "^a+$" }, {
    type: "object",
    properties: { a: { $ref: "#/$defs/b" } },
    $defs: { b: { type: "integer" } },
  }),
  outputSchema: fc.constantFrom<unknown>({}, { type: "object" }),
  accessControl: fc.constant({ requiredScopes: [] }),
}, { requiredKeys: ["namespace", "name", "inputSchema", "outputSchema", "accessControl"] });

const registration = fc.record({
  name: fc.constantFrom("fuzz", "fuzz-2"),
  spokeType: fc.constantFrom("custom", "dev"),
  version: fc.constantFrom("1.0.0", "x"),
  operations: fc.array(operationSpec, { maxLength: 3 }),
  maxConcurrency: fc.constantFrom(1, 16, 10_000, 10_001, 2 ** 40),
  labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), hostileText, { maxKeys: 3 }),
  hostInfo: fc.jsonValue({ maxDepth: 2 }),
  batch: fc.boolean(),
  acks: fc.boolean(),
  resume: hostileText,
}, { requiredKeys: ["name", "operations"] });

const calls = fc.oneof(
  call("hub.register", registration),
  call("hub.register", registration),
  call("hub.heartbeat", fc.record({ load: hostileValue })),
  call("hub.progress", fc.record({ requestId, value: hostileValue })),
  call("hub.log", fc.record({ requestId, level: hostileText, message: hostileValue, data: hostileValue })),
  call("hub.drain", fc.constant({})),
  call("hub.list", fc.record({ limit: hostileValue, cursor: hostileText })),
  call("hub.search", fc.record({ query: hostileText })),
  call("hub.schema", fc.record({ operationId: fc.constantFrom("core.echo", "fuzz.a", "x") })),
  call("hub.call", fc.record({ operationId: fc.constantFrom("core.echo", "core.eval", "x.y"), input: hostileValue })),
  call("core.echo", fc.record({ value: hostileValue })),
  call("core.eval", fc.record({ expression: hostileText, vars: hostileValue })),
  call("hub.run.events", hostileValue),
  call("run.events", fc.record({ runId: hostileText, after: hostileValue })),
);

const events = fc.oneof(
  calls,
  calls,
  message("call.responded", fc.record({ requestId, output: hostileValue })),
  message("call.completed", fc.record({ requestId })),
  message("call.error", fc.record({ requestId, code: hostileText, message: hostileText, details: hostileValue })),
  message("call.aborted", fc.record({ requestId })),
  message("__subscribe", fc.record({ topic: hostileText })),
  message("__unsubscribe", fc.record({ topic: hostileText })),
  message("nothing", hostileValue),
);

/** One message. */
export const frame: fc.Arbitrary<Frame> = fc.oneof(
  { arbitrary: events.map(toJsonText), weight: 6 },
  { arbitrary: mutated(events).map(toJsonText), weight: 4 },
  { arbitrary: fc.array(fc.oneof(events, mutated(events)), { maxLength: 5 }).map(toJsonText), weight: 1 },
  { arbitrary: hostileValue.map(toJsonText), weight: 1 },
  { arbitrary: hostileText, weight: 1 },
  { arbitrary: hostileText.map((binary) => ({ binary })), weight: 1 },
);

function call(operationId: string, input: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const rest = fc.record({ deadline: fc.constantFrom<unknown>(0, 1e300, -1, "soon"), identity: hostileValue }, {
    requiredKeys: [],
  });
  return message(
    "call.requested",
    fc.tuple(requestId, input, fc.oneof(fc.constant({}), rest)).map(([id, given, more]) => ({
      ...more,
      requestId: id,
      operationId,
      input: given,
    })),
  );
}

function message(type: string, payload: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return payload.map((given) => ({ type, id: "", payload: given }));
}
