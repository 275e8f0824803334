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

/** What a graph knows of a task. Its id is the node's key. */
export type TaskGraphNodeAttributes = {
  readonly name: string;
  readonly status?: TaskStatus;
  readonly scope?: TaskScope;
  readonly risk?: TaskRisk;
  readonly impact?: TaskImpact;
  readonly level?: TaskLevel;
  readonly priority?: TaskPriority;
};

/** Schema of {@linkcode TaskGraphNodeAttributes}. */
export const TaskGraphNodeAttributes: TUnsafe<TaskGraphNodeAttributes> = Type.Unsafe<TaskGraphNodeAttributes>(
  Type.Object({
    name: Type.String({ minLength: 1 }),
    status: Type.Optional(TaskStatusEnum),
    scope: Type.Optional(TaskScopeEnum),
    risk: Type.Optional(TaskRiskEnum),
    impact: Type.Optional(TaskImpactEnum),
    level: Type.Optional(TaskLevelEnum),
    priority: Type.Optional(TaskPriorityEnum),
  }),
);

/** What a graph knows of a dependency. */
export type TaskGraphEdgeAttributes = {
  /** 0 to 1. */
  readonly qualityRetention?: number;
};

/** Schema of {@linkcode TaskGraphEdgeAttributes}. */
export const TaskGraphEdgeAttributes: TUnsafe<TaskGraphEdgeAttributes> = Type.Unsafe<TaskGraphEdgeAttributes>(
  Type.Object({ qualityRetention: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })) }),
);
