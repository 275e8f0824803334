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

const ids = Type.Array(Type.String());
const count = Type.Integer({ minimum: 0 });

/** The path with the most risk on it. */
export type RiskPathResult = { readonly path: readonly string[]; readonly totalRisk: number };
/** Schema of {@linkcode RiskPathResult}. */
export const RiskPathResult: TUnsafe<RiskPathResult> = Type.Unsafe<RiskPathResult>(
  Type.Object({ path: ids, totalRisk: Type.Number() }),
);

/** Whether a task is better split, and why. */
export type DecomposeResult = { readonly shouldDecompose: boolean; readonly reasons: readonly string[] };
/** Schema of {@linkcode DecomposeResult}. */
export const DecomposeResult: TUnsafe<DecomposeResult> = Type.Unsafe<DecomposeResult>(
  Type.Object({ shouldDecompose: Type.Boolean(), reasons: Type.Array(Type.String()) }),
);

/** Ids of tasks by risk. */
export type RiskDistributionResult = Readonly<Record<TaskRisk | "unspecified", readonly string[]>>;
/** Schema of {@linkcode RiskDistributionResult}. */
export const RiskDistributionResult: TUnsafe<RiskDistributionResult> = Type.Unsafe<RiskDistributionResult>(
  Type.Object({ trivial: ids, low: ids, medium: ids, high: ids, critical: ids, unspecified: ids }),
);

/** What a failure costs, in the units of scope costs. Everything defaults to 0. */
export type EvConfig = {
  /** How often a task is tried again at most; 0 for no limit. */
  readonly retries?: number;
  /** Paid once when a task fails. */
  readonly fallbackCost?: number;
  /** Paid for each retry. */
  readonly timeLost?: number;
  /** What one unit of cost is worth; 0 leaves units as they are. */
  readonly valueRate?: number;
};
/** Schema of {@linkcode EvConfig}. */
export const EvConfig: TUnsafe<EvConfig> = Type.Unsafe<EvConfig>(Type.Object({
  retries: Type.Optional(Type.Number({ minimum: 0, default: 0 })),
  fallbackCost: Type.Optional(Type.Number({ default: 0 })),
  timeLost: Type.Optional(Type.Number({ default: 0 })),
  valueRate: Type.Optional(Type.Number({ default: 0 })),
}));

/** The expected cost of one task. `expectedRetries` is infinite for a task that never succeeds and may be retried without end. */
export type EvResult = { readonly ev: number; readonly pSuccess: number; readonly expectedRetries: number };
/** Schema of {@linkcode EvResult}. */
export const EvResult: TUnsafe<EvResult> = Type.Unsafe<EvResult>(
  Type.Object({ ev: Type.Number(), pSuccess: Type.Number(), expectedRetries: Type.Number() }),
);

/** How success of a task depends on its prerequisites: not at all, or through the graph. */
export type PropagationMode = "independent" | "dag-propagate";

/** Options of `workflowCost`. */
export type WorkflowCostOptions = {
  /** Count completed tasks too. Default: false. */
  readonly includeCompleted?: boolean;
  /** How many tasks to list and sum up, in topological order. Default: all. */
  readonly limit?: number;
  /** Default: `dag-propagate`. */
  readonly propagationMode?: PropagationMode;
  /** For dependencies that state none. Default: 0.9. */
  readonly defaultQualityRetention?: number;
};
const propagationMode = Type.Union([Type.Literal("independent"), Type.Literal("dag-propagate")]);
/** Schema of {@linkcode WorkflowCostOptions}. */
export const WorkflowCostOptions: TUnsafe<WorkflowCostOptions> = Type.Unsafe<WorkflowCostOptions>(Type.Object({
  includeCompleted: Type.Optional(Type.Boolean({ default: false })),
  limit: Type.Optional(count),
  propagationMode: Type.Optional(propagationMode),
  defaultQualityRetention: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 0.9 })),
}));

/** One task in a {@linkcode WorkflowCostResult}. */
export type WorkflowCostTask = {
  readonly taskId: string;
  readonly name: string;
  readonly ev: number;
  /** Of success, were all prerequisites to succeed. */
  readonly pIntrinsic: number;
  /** Of success, the prerequisites being as they are. */
  readonly pEffective: number;
  /** The one that `ev` was computed with. */
  readonly probability: number;
  readonly scopeCost: number;
  readonly impactWeight: number;
};
/** What all tasks are expected to cost. */
export type WorkflowCostResult = {
  readonly tasks: readonly WorkflowCostTask[];
  readonly totalEv: number;
  /** 0 without tasks. */
  readonly averageEv: number;
  readonly propagationMode: PropagationMode;
};
/** Schema of {@linkcode WorkflowCostResult}. */
export const WorkflowCostResult: TUnsafe<WorkflowCostResult> = Type.Unsafe<WorkflowCostResult>(Type.Object({
  tasks: Type.Array(Type.Object({
    taskId: Type.String(),
    name: Type.String(),
    ev: Type.Number(),
    pIntrinsic: Type.Number(),
    pEffective: Type.Number(),
    probability: Type.Number(),
    scopeCost: Type.Number(),
    impactWeight: Type.Number(),
  })),
  totalEv: Type.Number(),
  averageEv: Type.Number(),
  propagationMode,
}));

/** A task with every default filled in, and the numbers that its categories mean. */
export type ResolvedTaskAttributes = {
  readonly name: string;
  readonly scope: TaskScope;
  readonly risk: TaskRisk;
  readonly impact: TaskImpact;
  readonly level: TaskLevel | null;
  readonly priority: TaskPriority | null;
  readonly status: TaskStatus | null;
  readonly costEstimate: number;
  readonly tokenEstimate: number;
  readonly successProbability: number;
  readonly riskWeight: number;
  readonly impactWeight: number;
};
/** Schema of {@linkcode ResolvedTaskAttributes}. */
export const ResolvedTaskAttributes: TUnsafe<ResolvedTaskAttributes> = Type.Unsafe<ResolvedTaskAttributes>(Type.Object({
  name: Type.String(),
  scope: TaskScopeEnum,
  risk: TaskRiskEnum,
  impact: TaskImpactEnum,
  level: Nullable(TaskLevelEnum),
  priority: Nullable(TaskPriorityEnum),
  status: Nullable(TaskStatusEnum),
  costEstimate: Type.Number(),
  tokenEstimate: Type.Number(),
  successProbability: Type.Number(),
  riskWeight: Type.Number(),
  impactWeight: Type.Number(),
}));
