/**
 * What comes from outside is read here, and believed only as far as it was checked: a plan by its hash, a log by folding it, the
 * end of a run by working it out again.
 */
import { CallError, collectErrors, isResponseEnvelope } from "@alkdev/operations";
import type { Plan } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import type { RunEvent } from "../runs/mod.ts";
import { EXPORT_FORMAT, type RunExport } from "./run_export.ts";

type EventType = RunEvent["type"];

/** Every type that this version folds; one that is missing here does not compile. */
const TYPES: Readonly<Record<EventType, true>> = {
  "run.created": true,
  "run.started": true,
  "call.requested": true,
  "call.responded": true,
  "call.error": true,
  "call.aborted": true,
  "node.failed": true,
  "node.reused": true,
  "node.aborted": true,
  "node.paused": true,
  "node.resumed": true,
  "node.nudged": true,
  "branch.taken": true,
  "map.expanded": true,
  "loop.turned": true,
  "timer.set": true,
  "timer.fired": true,
  "signal.awaited": true,
  "signal.buffered": true,
  "signal.received": true,
  "signal.timedout": true,
  "run.paused": true,
  "run.resumed": true,
  "run.migrated": true,
  "run.completed": true,
  "run.failed": true,
  "run.aborted": true,
};

const UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
const uuid = Type.String({ pattern: UUID });
const text = Type.String({ maxLength: 4096 });
/** Ms that both JavaScript and PostgreSQL have a date for. */
const instant = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const error = Type.Object({ code: text, message: Type.String() });

const EventSchema = Type.Object({
  runId: uuid,
  seq: Type.Integer({ minimum: 1 }),
  at: instant,
  type: Type.String(),
  key: Type.Optional(text),
  attempt: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 })),
  requestId: Type.Optional(uuid),
});
const CreatedSchema = Type.Object({
  workflow: text,
  version: text,
  planHash: text,
  caller: Type.Object({
    identity: Type.Object({ id: text, scopes: Type.Array(text) }),
    orgId: text,
  }),
  labels: Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 1024 })),
  priority: Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 }),
  parent: Type.Union([Type.Null(), Type.Object({ runId: uuid, requestId: uuid, rootRunId: uuid })]),
  idempotencyKey: Type.Union([Type.Null(), text]),
  deadline: Type.Union([Type.Null(), instant]),
});
const BY_TYPE = {
  "run.created": CreatedSchema,
  "call.requested": Type.Object({ key: text, attempt: Type.Integer(), requestId: uuid, operationId: text }),
  "call.responded": Type.Object({ key: text, attempt: Type.Integer(), requestId: uuid, output: Type.Object({}) }),
  "call.error": Type.Object({
    key: text,
    attempt: Type.Integer(),
    requestId: uuid,
    error,
    retryAt: Type.Union([Type.Null(), instant]),
  }),
  "call.aborted": Type.Object({ key: text, attempt: Type.Integer(), requestId: uuid }),
  "node.failed": Type.Object({ key: text, error }),
  "run.failed": Type.Object({ error }),
  "run.migrated": Type.Object({ version: text, planHash: text, by: text }),
  "run.aborted": Type.Object({ reason: Type.String(), by: text }),
};
const ExportSchema = Type.Object({
  format: Type.Literal(EXPORT_FORMAT),
  run: Type.Object({ id: uuid, status: text }),
  plan: Type.Object({ nodes: Type.Array(Type.Object({}), { minItems: 1, maxItems: 100_000 }) }),
  plans: Type.Optional(Type.Record(text, Type.Object({}))),
  events: Type.Array(Type.Object({}), { minItems: 1 }),
  children: Type.Optional(Type.Array(Type.Object({}))),
}, { additionalProperties: false });

/** As deep as runs may be nested. */
const MAX_DEPTH = 32;

/** The form of an export, with all that it holds; what it says is checked by `checkExport`. @throws CallError VALIDATION_ERROR */
export function readExport(value: unknown, path: string = "", depth: number = 0): RunExport {
  if (depth > MAX_DEPTH) throw invalid(path, `Runs are nested more than ${MAX_DEPTH} deep`);
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (format !== EXPORT_FORMAT) {
    throw invalid(`${path}/format`, `Format ${JSON.stringify(format)} is not known: wanted ${EXPORT_FORMAT}`);
  }
  refuse(ExportSchema, value, path);
  const { run, events, plan, children } = value as RunExport; // its parts are checked here and below
  events.forEach((event, i) => readEvent(event, run.id, i, `${path}/events/${i}`));
  readPlan(plan, `${path}/plan`);
  for (const [hash, later] of Object.entries((value as RunExport).plans ?? {})) {
    readPlan(later, `${path}/plans/${hash}`);
  }
  children?.forEach((child, i) => readExport(child, `${path}/children/${i}`, depth + 1));
  return value as RunExport;
}

function readEvent(event: RunEvent, runId: string, index: number, path: string): void {
  refuse(EventSchema, event, path);
  if (!Object.hasOwn(TYPES, event.type)) throw invalid(`${path}/type`, `Event type "${event.type}" is not known`);
  if (event.seq !== index + 1) throw invalid(`${path}/seq`, `Seq is ${event.seq}: wanted ${index + 1}`);
  if (event.runId !== runId) throw invalid(`${path}/runId`, `Run is "${event.runId}": wanted "${runId}"`);
  if ((event.type === "run.created") !== (index === 0)) {
    throw invalid(`${path}/type`, "The first event, and no other, must be run.created");
  }
  const schema = BY_TYPE[event.type as keyof typeof BY_TYPE];
  if (schema !== undefined) refuse(schema, event, path);
  if (event.type === "call.responded" && !isResponseEnvelope(withData(event.output))) {
    throw invalid(`${path}/output`, "Output is not an envelope: wanted {data, meta: {source, …}}");
  }
}

/** JSON drops a `data` that is undefined. */
function withData(output: object): object {
  return "data" in output ? output : { ...output, data: null };
}

/** The tree of a plan: what everything that reads one relies on. */
function readPlan(plan: Plan, path: string): void {
  if (plan.planVersion !== 1) throw invalid(`${path}/planVersion`, "Plan version is not known: wanted 1");
  const { nodes } = plan;
  const open: number[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const { key, kind, parent, end, after = [] } = nodes[i]!;
    while (open.length > 0 && nodes[open.at(-1)!]!.end <= i) open.pop();
    const isInside = Number.isInteger(end) && end > i &&
      end <= (open.length === 0 ? nodes.length : nodes[open.at(-1)!]!.end);
    const isTree = isInside && parent === (open.at(-1) ?? -1) && (i > 0 || end === nodes.length);
    const isWaiting = Array.isArray(after) &&
      after.every((one) => Number.isInteger(one) && one >= 0 && one < nodes.length && one !== i);
    if (typeof key !== "string" || typeof kind !== "string" || !isTree || !isWaiting) {
      throw invalid(`${path}/nodes/${i}`, "Node does not fit into the plan's tree");
    }
    open.push(i);
  }
}

function refuse(schema: Parameters<typeof collectErrors>[0], value: unknown, path: string): void {
  const [first] = collectErrors(schema, value);
  if (first !== undefined) throw invalid(`${path}${first.path}`, first.message);
}

/** What is wrong with an export, and where. */
export function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Cannot import: ${path === "" ? "the export" : path} ${message}`, {
    errors: [{ path, message }],
  });
}
