import { type TObject, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import type {
  CallView,
  GraphEdge,
  GraphNode,
  PlanPlace,
  RunEvent,
  RunGraph,
  RunRecord,
  RunView,
  WhyEntry,
} from "../../runs/mod.ts";
import { RunBudgetSchema } from "./budgets.ts";
import { JsonSchema } from "./json.ts";
import { nullable } from "./nullable.ts";

const time = Type.Integer({ description: "Ms since the epoch" });
const labels = Type.Record(Type.String(), Type.String());
const statuses = [
  Type.Literal("queued"),
  Type.Literal("running"),
  Type.Literal("paused"),
  Type.Literal("completed"),
  Type.Literal("failed"),
  Type.Literal("aborted"),
] as const;
const status = Type.Union([...statuses]);

const eventError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(JsonSchema),
});

const runError = Type.Object({ ...eventError.properties, nodeKey: Type.Optional(nullable(Type.String())) });

const progress = Type.Object({
  value: nullable(Type.Number()),
  total: nullable(Type.Number()),
  message: nullable(Type.String()),
  at: time,
}, { description: "What the node's handler last said of its progress" });

const recordFields = {
  id: Type.String(),
  orgId: Type.String(),
  workflow: Type.String(),
  version: Type.String({ description: "Content hash of the template" }),
  planHash: Type.String(),
  status,
  priority: Type.Number(),
  labels,
  parentRunId: nullable(Type.String()),
  rootRunId: Type.String(),
  createdAt: time,
  completedAt: nullable(time),
  errorCode: nullable(Type.String()),
};
const record = Type.Object(recordFields, { $id: "Run" });

const view = Type.Object({
  ...recordFields,
  input: JsonSchema,
  output: nullable(JsonSchema),
  error: nullable(runError),
  progress: Type.Object({
    total: Type.Integer(),
    completed: Type.Integer(),
    failed: Type.Integer(),
    aborted: Type.Integer(),
    skipped: Type.Integer(),
    running: Type.Integer(),
    waiting: Type.Integer(),
  }),
  budget: Type.Optional(nullable(RunBudgetSchema)),
  lastSeq: Type.Integer({ description: "Seq of the last event the view was made from" }),
  lineage: nullable(Type.Object({
    runId: Type.String(),
    kind: Type.Union([Type.Literal("rerun"), Type.Literal("fork")]),
    from: nullable(Type.Array(Type.String())),
    at: Type.Optional(Type.Integer()),
  }, { description: "The run that this one was made of by a rerun or fork" })),
  lastProgress: Type.Optional(Type.Object({ key: Type.String(), ...progress.properties })),
}, { $id: "RunView" });

const nodeStatus = Type.Union([
  Type.Literal("idle"),
  Type.Literal("waiting"),
  Type.Literal("ready"),
  Type.Literal("running"),
  Type.Literal("completed"),
  Type.Literal("failed"),
  Type.Literal("aborted"),
  Type.Literal("skipped"),
]);

const reusedFrom = Type.Object(
  { runId: Type.String(), requestId: nullable(Type.String()) },
  { description: "The run and call that made this result, which this run took over" },
);

const node = Type.Object({
  key: Type.String(),
  kind: Type.String(),
  operationId: nullable(Type.String()),
  title: nullable(Type.String()),
  parent: nullable(Type.String()),
  status: nodeStatus,
  attempts: Type.Integer(),
  items: Type.Optional(Type.Integer({ description: "Items of a Map, turns so far of a Loop" })),
  requestId: nullable(Type.String()),
  startedAt: nullable(time),
  completedAt: nullable(time),
  nextAt: nullable(time),
  reusedFrom: Type.Optional(reusedFrom),
  input: Type.Optional(JsonSchema),
  output: Type.Optional(JsonSchema),
  error: Type.Optional(eventError),
  progress: Type.Optional(progress),
}, { $id: "GraphNode" });

const edge = Type.Object({
  source: Type.String(),
  target: Type.String(),
  edgeType: Type.Union([Type.Literal("sequential"), Type.Literal("conditional")]),
  dataFlow: Type.Boolean(),
  condition: Type.Optional(Type.String()),
  negated: Type.Optional(Type.Boolean()),
}, { $id: "GraphEdge" });

const place = Type.Object({
  key: Type.String(),
  kind: Type.String(),
  parent: Type.Integer({ description: "Index of the container around it; -1 for the root" }),
  branch: Type.Optional(Type.Union([Type.Literal("then"), Type.Literal("else")])),
  operationId: Type.Optional(Type.String()),
}, { $id: "PlanPlace" });

const graph = Type.Object({
  runId: Type.String(),
  workflow: Type.String(),
  status,
  seq: Type.Integer(),
  nodes: Type.Array(node),
  edges: Type.Array(edge),
  tree: Type.Array(place, { description: "All nodes of the plan, containers included, in pre-order" }),
}, { $id: "RunGraph" });

const callFields = {
  requestId: Type.String(),
  runId: Type.String(),
  nodeKey: nullable(Type.String()),
  operationId: Type.String(),
  parentRequestId: nullable(Type.String()),
  status: Type.Union([
    Type.Literal("pending"),
    Type.Literal("running"),
    Type.Literal("completed"),
    Type.Literal("failed"),
    Type.Literal("aborted"),
  ]),
  attempt: Type.Integer(),
  input: JsonSchema,
  output: nullable(JsonSchema),
  error: nullable(runError),
  identityId: Type.String(),
  startedAt: time,
  completedAt: nullable(time),
  durationMs: nullable(Type.Number()),
  reusedFrom: Type.Optional(reusedFrom),
};
const call = Type.Object(callFields, { $id: "Call" });

const why = Type.Object({
  key: Type.String(),
  status: nodeStatus,
  waitsFor: Type.String(),
  message: Type.String(),
  since: nullable(time),
  until: nullable(time),
  keys: Type.Array(Type.String()),
  operationId: nullable(Type.String()),
  labels: nullable(labels),
}, { $id: "WhyEntry" });

/** A filter value of the run list. */
export const RunStatusSchema: TUnsafe<RunRecord["status"]> = Type.Unsafe<RunRecord["status"]>(status);
/** Each does not compile when it parts from its type. */
export const RunRecordSchema: TObject = record satisfies { static: RunRecord };
export const RunViewSchema: TObject = view satisfies { static: RunView };
export const PlanPlaceSchema: TObject = place satisfies { static: PlanPlace };
export const GraphNodeSchema: TObject = node satisfies { static: GraphNode };
export const GraphEdgeSchema: TObject = edge satisfies { static: GraphEdge };
export const RunGraphSchema: TObject = graph satisfies { static: RunGraph };
export const CallSchema: TObject = call satisfies { static: CallView };
export const WhyEntrySchema: TObject = why satisfies { static: WhyEntry };
export const CallTreeSchema: TSchema = Type.Recursive(
  (self) => Type.Object({ ...callFields, children: Type.Array(self) }),
  { $id: "CallTree" },
);
/** An event: its head. What else it has depends on its type. */
export const RunEventSchema: TObject = Type.Object({
  runId: Type.String(),
  seq: Type.Integer({ minimum: 1 }),
  at: time,
  type: Type.String(),
}, { $id: "RunEvent", additionalProperties: true }) satisfies { static: Pick<RunEvent, "runId" | "seq" | "at"> };
/** What a start answers. */
export const StartedRunSchema: TObject = Type.Object({
  id: Type.String(),
  status,
  duplicate: Type.Boolean({ description: "True: this idempotency key already has this run" }),
  url: Type.String(),
}, { $id: "StartedRun" });
/** What a start answers that was waited for: the run as it is then. */
export const AwaitedRunSchema: TObject = Type.Object({
  ...view.properties,
  duplicate: Type.Boolean(),
  url: Type.String(),
}, { $id: "AwaitedRun" });
/** What a rerun or fork answers. */
export const RerunStartedSchema: TObject = Type.Object({
  id: Type.String(),
  status,
  duplicate: Type.Boolean(),
  reused: Type.Integer({ description: "Results taken over from the other run" }),
  url: Type.String(),
}, { $id: "RerunStarted" });
