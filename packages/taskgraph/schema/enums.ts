import { type TLiteral, type TUnion, Type } from "@alkdev/typebox";

type Literals<Values extends readonly string[]> = TUnion<
  { -readonly [Index in keyof Values]: TLiteral<Values[Index]> }
>;

/** How much a task touches, least first. */
export type TaskScope = "single" | "narrow" | "moderate" | "broad" | "system";
/** Schema of {@linkcode TaskScope}. */
export const TaskScopeEnum: Literals<["single", "narrow", "moderate", "broad", "system"]> = Type.Union([
  Type.Literal("single"),
  Type.Literal("narrow"),
  Type.Literal("moderate"),
  Type.Literal("broad"),
  Type.Literal("system"),
]);

/** How likely a task is to go wrong, least first. */
export type TaskRisk = "trivial" | "low" | "medium" | "high" | "critical";
/** Schema of {@linkcode TaskRisk}. */
export const TaskRiskEnum: Literals<["trivial", "low", "medium", "high", "critical"]> = Type.Union([
  Type.Literal("trivial"),
  Type.Literal("low"),
  Type.Literal("medium"),
  Type.Literal("high"),
  Type.Literal("critical"),
]);

/** How far a failure reaches, least first. */
export type TaskImpact = "isolated" | "component" | "phase" | "project";
/** Schema of {@linkcode TaskImpact}. */
export const TaskImpactEnum: Literals<["isolated", "component", "phase", "project"]> = Type.Union([
  Type.Literal("isolated"),
  Type.Literal("component"),
  Type.Literal("phase"),
  Type.Literal("project"),
]);

/** What kind of work a task is. */
export type TaskLevel = "planning" | "decomposition" | "implementation" | "review" | "research";
/** Schema of {@linkcode TaskLevel}. */
export const TaskLevelEnum: Literals<["planning", "decomposition", "implementation", "review", "research"]> = Type
  .Union([
    Type.Literal("planning"),
    Type.Literal("decomposition"),
    Type.Literal("implementation"),
    Type.Literal("review"),
    Type.Literal("research"),
  ]);

/** How urgent a task is, least first. */
export type TaskPriority = "low" | "medium" | "high" | "critical";
/** Schema of {@linkcode TaskPriority}. */
export const TaskPriorityEnum: Literals<["low", "medium", "high", "critical"]> = Type.Union([
  Type.Literal("low"),
  Type.Literal("medium"),
  Type.Literal("high"),
  Type.Literal("critical"),
]);

/** Where a task stands. `in-progress` has a hyphen. */
export type TaskStatus = "pending" | "in-progress" | "completed" | "failed" | "blocked";
/** Schema of {@linkcode TaskStatus}. */
export const TaskStatusEnum: Literals<["pending", "in-progress", "completed", "failed", "blocked"]> = Type.Union([
  Type.Literal("pending"),
  Type.Literal("in-progress"),
  Type.Literal("completed"),
  Type.Literal("failed"),
  Type.Literal("blocked"),
]);
