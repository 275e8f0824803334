import { type TLiteral, type TUnion, Type } from "@alkdev/typebox";

type Literals<Values extends readonly string[]> = TUnion<
  { -readonly [Index in keyof Values]: TLiteral<Values[Index]> }
>;

/** Status of one call. */
export const CallStatus = {
  PENDING: "pending",
  RUNNING: "running",
  COMPLETED: "completed",
  FAILED: "failed",
  ABORTED: "aborted",
} as const;
/** One of {@linkcode CallStatus}'s values. */
export type CallStatus = typeof CallStatus[keyof typeof CallStatus];
/** Schema of {@linkcode CallStatus}. */
export const CallStatusEnum: Literals<["pending", "running", "completed", "failed", "aborted"]> = Type.Union([
  Type.Literal("pending"),
  Type.Literal("running"),
  Type.Literal("completed"),
  Type.Literal("failed"),
  Type.Literal("aborted"),
]);

/** Status of one node of a workflow: idle, waiting, ready, running, then completed, failed, aborted or skipped. */
export const NodeStatus = {
  IDLE: "idle",
  WAITING: "waiting",
  READY: "ready",
  RUNNING: "running",
  COMPLETED: "completed",
  FAILED: "failed",
  ABORTED: "aborted",
  SKIPPED: "skipped",
} as const;
/** One of {@linkcode NodeStatus}'s values. */
export type NodeStatus = typeof NodeStatus[keyof typeof NodeStatus];
/** Schema of {@linkcode NodeStatus}. */
export const NodeStatusEnum: Literals<
  ["idle", "waiting", "ready", "running", "completed", "failed", "aborted", "skipped"]
> = Type.Union([
  Type.Literal("idle"),
  Type.Literal("waiting"),
  Type.Literal("ready"),
  Type.Literal("running"),
  Type.Literal("completed"),
  Type.Literal("failed"),
  Type.Literal("aborted"),
  Type.Literal("skipped"),
]);

/** What an edge means. Every edge says it. */
export const EdgeType = {
  TRIGGERED: "triggered",
  DEPENDS_ON: "depends_on",
  TYPED: "typed",
  SEQUENTIAL: "sequential",
  CONDITIONAL: "conditional",
} as const;
/** One of {@linkcode EdgeType}'s values. */
export type EdgeType = typeof EdgeType[keyof typeof EdgeType];
/** Schema of {@linkcode EdgeType}. */
export const EdgeTypeEnum: Literals<["triggered", "depends_on", "typed", "sequential", "conditional"]> = Type.Union([
  Type.Literal("triggered"),
  Type.Literal("depends_on"),
  Type.Literal("typed"),
  Type.Literal("sequential"),
  Type.Literal("conditional"),
]);

/** Schema of an operation's type. */
export const OperationTypeEnum: Literals<["query", "mutation", "subscription"]> = Type.Union([
  Type.Literal("query"),
  Type.Literal("mutation"),
  Type.Literal("subscription"),
]);
