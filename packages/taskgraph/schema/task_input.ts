import { type TUnsafe, Type } from "@alkdev/typebox";
import {
  type TaskImpact,
  TaskImpactEnum,
  type TaskLevel,
  TaskLevelEnum,
  type TaskPriority,
  TaskPriorityEnum,
  type TaskRisk,
  TaskRiskEnum,
  type TaskScope,
  TaskScopeEnum,
  type TaskStatus,
  TaskStatusEnum,
} from "./enums.ts";
import { Nullable } from "./nullable.ts";

/** A task as it is written down. Dates are text, as written. */
export type TaskInput = {
  readonly id: string;
  readonly name: string;
  /** Ids of the tasks that must be done before. */
  readonly dependsOn: readonly string[];
  readonly status?: TaskStatus | null;
  readonly scope?: TaskScope | null;
  readonly risk?: TaskRisk | null;
  readonly impact?: TaskImpact | null;
  readonly level?: TaskLevel | null;
  readonly priority?: TaskPriority | null;
  readonly tags?: readonly string[];
  readonly assignee?: string | null;
  readonly due?: string | null;
  readonly created?: string | null;
  readonly modified?: string | null;
};

/** Schema of {@linkcode TaskInput}. */
export const TaskInput: TUnsafe<TaskInput> = Type.Unsafe<TaskInput>(Type.Object({
  id: Type.String({ minLength: 1 }),
  name: Type.String({ minLength: 1 }),
  dependsOn: Type.Array(Type.String({ minLength: 1 })),
  status: Type.Optional(Nullable(TaskStatusEnum)),
  scope: Type.Optional(Nullable(TaskScopeEnum)),
  risk: Type.Optional(Nullable(TaskRiskEnum)),
  impact: Type.Optional(Nullable(TaskImpactEnum)),
  level: Type.Optional(Nullable(TaskLevelEnum)),
  priority: Type.Optional(Nullable(TaskPriorityEnum)),
  tags: Type.Optional(Type.Array(Type.String())),
  assignee: Type.Optional(Nullable(Type.String())),
  due: Type.Optional(Nullable(Type.String())),
  created: Type.Optional(Nullable(Type.String())),
  modified: Type.Optional(Nullable(Type.String())),
}));

/** A dependency as a record of its own. */
export type DependencyEdge = {
  /** The prerequisite. */
  readonly from: string;
  /** The dependent. */
  readonly to: string;
  /** How much of the dependent's quality survives a failure of the prerequisite, 0 to 1. Default: 0.9. */
  readonly qualityRetention?: number;
};

/** Schema of {@linkcode DependencyEdge}. */
export const DependencyEdge: TUnsafe<DependencyEdge> = Type.Unsafe<DependencyEdge>(Type.Object({
  from: Type.String({ minLength: 1 }),
  to: Type.String({ minLength: 1 }),
  qualityRetention: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 0.9 })),
}));
