/**
 * How an event's own fields become the text in `run_events.body`, and back. What a column already says is not in the body:
 * run id, seq, time, type, node key, request id; the attempt when it is 1; for `run.created` also what the run's row says.
 * Key order and every character survive: the text is never parsed on the way in.
 */
import { Buffer } from "node:buffer";
import type {
  Caller,
  CallFailed,
  CallRequested,
  CallResponded,
  EventOf,
  RunCreated,
  RunEvent,
} from "../../engine/events.ts";

export type OutcomeEvent = Extract<RunEvent, { type: "call.responded" | "call.error" }>;
export type RequestedEvent = Extract<RunEvent, { type: "call.requested" }>;

type Missing<Event, Known> = Exclude<keyof Event, Known | "type" | "key" | "attempt" | "requestId">;
type None<T extends never> = T;
type CreatedFields =
  | ("runId" | "seq" | "at" | "type" | "workflow" | "version" | "planHash" | "priority" | "parent" | "caller")
  | ("input" | "labels" | "idempotencyKey" | "deadline" | "traceparent" | "budget" | "lineage" | "gate");
/** Fails to compile when an event gets a field that the hand-written bodies below would lose. */
export type FieldsLost =
  | None<Missing<CallRequested, "operationId" | "input">>
  | None<Missing<CallResponded, "output">>
  | None<Missing<CallFailed, "error" | "retryAt">>
  | None<Exclude<keyof EventOf<"run.created">, CreatedFields>>
  | None<Exclude<keyof Caller, "identity" | "orgId" | "keyId">>;

/** The body of an event that has a row of its own. */
export function encodeBody(event: RunEvent): string {
  switch (event.type) {
    case "call.requested":
      return safe(`{${attempt(event.attempt)}"operationId":${text(event.operationId)},"input":${text(event.input)}}`);
    case "call.responded":
    case "call.error":
      return safe(`{${outcome(event, null)}}`);
    case "run.created":
      return safe(createdText(event));
    default: {
      const { runId: _runId, seq: _seq, at: _at, type: _type, ...rest } = event;
      const { key: _key, requestId: _requestId, ...body } = rest as { key?: string; requestId?: string };
      return safe(text(body));
    }
  }
}

/** The body of a request and its outcome in one row, `ms` apart (times are whole ms). It begins with `{"req":`, which no other body does. */
export function encodePair(request: RequestedEvent, event: OutcomeEvent): string {
  return safe(
    `{"req":{"ms":${event.at - request.at},"operationId":${text(request.operationId)},"input":${
      text(request.input)
    }},` +
      `${outcome(event, request.operationId)}}`,
  );
}

/** Columns of a row of `run_events`; times are ms since the epoch. `created` is the run's row, beside a `run.created`. */
export interface EventRow {
  readonly run_id: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly node_key: string | null;
  readonly request_id: string | null;
  readonly body: string;
  readonly created: CreatedColumns | null;
}

/** What `run.created` leaves to the run's row. */
export interface CreatedColumns {
  readonly workflow: string;
  readonly version: string;
  readonly planHash: string;
  readonly priority: number;
  readonly orgId: string;
  readonly parent: RunCreated["parent"];
}

/** The one or two events that a row holds, in order. */
export function decodeRow(row: EventRow): readonly RunEvent[] {
  const { req, ...body } = JSON.parse(unsafe(row.body)) as StoredBody;
  const head = { runId: row.run_id, seq: row.seq, at: row.at, type: row.type };
  // The row was written from a RunEvent by the functions above: the one place where text becomes events again.
  if (row.type === "run.created") return [{ ...head, ...created(row.created, body) } as unknown as RunEvent];
  if (!row.type.startsWith("call.")) {
    return [{ ...head, ...(row.node_key !== null && { key: row.node_key }), ...body } as unknown as RunEvent];
  }
  const call = { key: row.node_key ?? "", attempt: body.attempt ?? 1, requestId: row.request_id };
  const { attempt: _attempt, data: _data, meta, ...rest } = body;
  const event = {
    ...head,
    ...call,
    ...rest,
    ...(meta !== undefined && { output: envelope(body, row.at, req?.operationId) }),
  } as unknown as RunEvent;
  if (req === undefined) return [event];
  const { ms, ...request } = req;
  return [
    { runId: row.run_id, seq: row.seq - 1, at: row.at - ms, type: "call.requested", ...call, ...request } as RunEvent,
    event,
  ];
}

interface StoredBody {
  readonly req?: { readonly ms: number; readonly operationId: string };
  readonly attempt?: number;
  readonly data?: unknown;
  readonly meta?: unknown;
}

function outcome(event: OutcomeEvent, operationId: string | null): string {
  if (event.type === "call.error") {
    return `${attempt(event.attempt)}"error":${text(event.error)},"retryAt":${event.retryAt}`;
  }
  const { data, meta } = event.output;
  // A local answer's meta is the operation's id, which the request beside it has, and a time: kept as ms before the event.
  const isPlain = operationId !== null && meta.source === "local" && meta.operationId === operationId &&
    Number.isSafeInteger(meta.timestamp) && Object.keys(meta).length === 3;
  const json = JSON.stringify(data);
  return `${attempt(event.attempt)}${json === undefined ? "" : `"data":${json},`}"meta":${
    isPlain ? event.at - meta.timestamp : text(meta)
  }`;
}

function envelope(body: StoredBody, at: number, operationId: string | undefined): unknown {
  const { data, meta } = body;
  const full = typeof meta === "number" ? { source: "local", operationId, timestamp: at - meta } : meta;
  return { ...("data" in body && { data }), meta: full };
}

/** Field by field: taking an object apart by `...rest` is 1 µs a run. */
function createdText(event: EventOf<"run.created">): string {
  const { input, caller, labels, idempotencyKey, deadline } = event;
  let body = `{"input":${text(input)},"identity":${text(caller.identity)}`;
  for (const _name in labels) {
    body += `,"labels":${text(labels)}`;
    break;
  }
  if (idempotencyKey !== null) body += `,"idempotencyKey":${text(idempotencyKey)}`;
  if (deadline !== null) body += `,"deadline":${deadline}`;
  if (event.budget !== undefined) body += `,"budget":${text(event.budget)}`;
  if (event.lineage !== undefined) body += `,"lineage":${text(event.lineage)}`;
  if (event.gate !== undefined) body += `,"gate":${text(event.gate)}`;
  if (event.traceparent !== undefined) body += `,"traceparent":${text(event.traceparent)}`;
  if (caller.keyId !== undefined) body += `,"callerMore":${text({ keyId: caller.keyId })}`;
  // Kept here too when the column cannot hold it as it is.
  for (const name of ["workflow", "version", "planHash"] as const) {
    if (column(event[name]) !== event[name]) body += `,"${name}":${text(event[name])}`;
  }
  if (column(caller.orgId) !== caller.orgId) body += `,"orgId":${text(caller.orgId)}`;
  return body + "}";
}

function created(row: CreatedColumns | null, body: object): object {
  if (row === null) throw new Error("Cannot read run.created: the run has no row");
  const { orgId, ...columns } = row;
  const { identity, callerMore, orgId: oddOrg, ...rest } = body as {
    identity?: unknown;
    callerMore?: object;
    orgId?: string;
  };
  return {
    ...columns,
    labels: {},
    idempotencyKey: null,
    deadline: null,
    ...rest,
    caller: { identity, orgId: oddOrg ?? orgId, ...callerMore },
  };
}

/** `value` as a text column and a line of a batch can hold it: NUL, other controls and lone surrogates become U+FFFD. */
export function column(value: string): string {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f]|\p{Surrogate}/u.test(value)
    // deno-lint-ignore no-control-regex
    ? value.replace(/[\u0000-\u001f]|\p{Surrogate}/gu, "\ufffd")
    : value;
}

function attempt(number: number): string {
  return number === 1 ? "" : `"attempt":${number},`;
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/**
 * PostgreSQL's json functions refuse `\u0000` and lone surrogates, and would fail a whole view for one such row. A body that
 * has an escape of this form is wrapped, so that the views read it as an object without their fields.
 */
function safe(body: string): string {
  return body.includes("\\u") ? `{"hex":"${Buffer.from(body).toString("hex")}"}` : body;
}

function unsafe(stored: string): string {
  return stored.startsWith('{"hex":"') ? Buffer.from(stored.slice(8, -2), "hex").toString() : stored;
}

/** What people put into and get out of an event, without what the hub adds. */
export function readParts(
  type: string,
  stored: string,
): readonly { readonly where: "input" | "output" | "error" | "operation"; readonly value: unknown }[] {
  const { req, ...body } = JSON.parse(unsafe(stored)) as {
    readonly req?: { readonly operationId?: unknown; readonly input?: unknown };
    readonly [field: string]: unknown;
  };
  const parts = [
    { where: "operation", value: req?.operationId ?? (type.startsWith("call.") ? body["operationId"] : undefined) },
    { where: "input", value: req?.input ?? body["input"] ?? body["question"] },
    { where: "output", value: body["data"] ?? body["output"] ?? body["payload"] },
    { where: "error", value: body["error"] ?? body["reason"] },
  ] as const;
  return parts.filter(({ value }) => value !== undefined && value !== null);
}
