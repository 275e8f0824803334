import { type TObject, type TUnsafe, Type } from "@alkdev/typebox";
import type { KeyLimits, KeyView } from "../../auth/mod.ts";
import type { TemplateProblem } from "../../runs/mod.ts";
import type { SpokeView } from "../ports.ts";
import { JsonSchema } from "./json.ts";
import { nullable } from "./nullable.ts";
import { PlanPlaceSchema } from "./runs.ts";

const time = Type.Integer({ description: "Ms since the epoch" });

const problem = Type.Object({
  code: Type.String(),
  path: Type.String(),
  node: Type.Optional(Type.String()),
  edge: Type.Optional(Type.String()),
  message: Type.String(),
  suggestion: Type.Optional(Type.String()),
}, { $id: "TemplateProblem" });

const spoke = Type.Object({
  id: Type.String(),
  name: Type.String(),
  spokeType: Type.String(),
  status: Type.Union([Type.Literal("connected"), Type.Literal("draining"), Type.Literal("disconnected")]),
  version: nullable(Type.String()),
  operations: Type.Array(Type.String()),
  inFlight: Type.Integer(),
  maxConcurrency: Type.Integer(),
  labels: Type.Record(Type.String(), Type.String()),
  hostInfo: nullable(Type.Record(Type.String(), Type.Unknown())),
  connectedAt: time,
  lastHeartbeat: nullable(time),
  disconnectedAt: nullable(time),
}, { $id: "Spoke" });

const perMinute = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const limits = Type.Object({
  requests: Type.Optional(perMinute),
  starts: Type.Optional(perMinute),
}, { additionalProperties: false, description: "What the key may do a minute" });
const key = Type.Object({
  id: Type.String(),
  name: nullable(Type.String()),
  ownerId: Type.String(),
  scopes: Type.Array(Type.String()),
  status: Type.Union([
    Type.Literal("active"),
    Type.Literal("disabled"),
    Type.Literal("expired"),
    Type.Literal("revoked"),
  ]),
  createdAt: nullable(time),
  lastUsedAt: nullable(time),
  expiresAt: nullable(time),
  revokedAt: nullable(time),
  rotatedTo: nullable(Type.String()),
  limits: nullable(limits),
}, { $id: "Key" });

const workflowFields = {
  name: Type.String(),
  version: Type.String({ description: "Content hash" }),
  title: nullable(Type.String()),
  description: nullable(Type.String()),
  inputSchema: nullable(JsonSchema),
  outputSchema: nullable(JsonSchema),
  serializable: Type.Boolean({ description: "False: the template has functions and lives in a file only" }),
};

/** A plan as it is shown: its graph, and what it is made of. */
export const PlanSchema: TObject = Type.Object({
  nodes: Type.Array(Type.Unknown()),
  edges: Type.Array(Type.Unknown()),
  tree: Type.Array(PlanPlaceSchema),
  output: Type.Unknown(),
  failurePolicy: Type.String(),
}, { $id: "Plan" });

/** Each does not compile when it parts from its type. */
export const TemplateProblemSchema: TObject = problem satisfies { static: TemplateProblem };
/** What a key may do a minute. */
export const LimitsSchema: TUnsafe<KeyLimits> = Type.Unsafe<KeyLimits>(limits);
export const SpokeSchema: TObject = spoke satisfies { static: SpokeView };
export const KeySchema: TObject = key satisfies { static: KeyView };
/** A workflow in a list. */
export const WorkflowSummarySchema: TObject = Type.Object(workflowFields, { $id: "Workflow" });
/** A workflow with its plan and template; null where they depend on the input or have functions. */
export const WorkflowViewSchema: TObject = Type.Object({
  ...workflowFields,
  plan: nullable(PlanSchema),
  template: nullable(JsonSchema),
  flow: nullable(JsonSchema),
  expose: nullable(Type.String({ description: "How it is served over MCP: `tool`, `task` or `prompt`" })),
}, { $id: "WorkflowView" });
/** A key with its plain text. */
export const IssuedKeySchema: TObject = Type.Object({
  key: Type.String({ description: "Shown this once" }),
  record: KeySchema,
}, { $id: "IssuedKey" });
/** An operation; its schemas are JSON Schema. */
export const OperationSchema: TObject = Type.Object({
  id: Type.String(),
  name: Type.String(),
  namespace: Type.String(),
  version: Type.String(),
  versions: Type.Optional(
    Type.Array(Type.String(), {
      description: "All that are on offer, the highest first, each of which may be named: id@version. Not in lists",
    }),
  ),
  type: Type.Union([Type.Literal("query"), Type.Literal("mutation"), Type.Literal("subscription")]),
  title: Type.Optional(Type.String()),
  description: Type.String(),
  tags: Type.Optional(Type.Array(Type.String())),
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  errorSchemas: Type.Optional(Type.Array(Type.Unknown())),
  accessControl: Type.Unknown(),
}, { $id: "Operation" });
/** What a call answers. */
export const EnvelopeSchema: TObject = Type.Object({
  data: Type.Optional(Type.Unknown()),
  meta: Type.Object({ source: Type.Union([Type.Literal("local"), Type.Literal("http"), Type.Literal("mcp")]) }, {
    additionalProperties: true,
    description: "Where it came from: what else there is depends on the source",
  }),
}, { $id: "ResponseEnvelope" });
