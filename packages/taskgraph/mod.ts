/** Tasks and what they wait for: a graph of them, its analysis, and the markdown they are written in. @module */
export { bottlenecks } from "./analysis/bottlenecks.ts";
export type { Bottleneck } from "./analysis/bottlenecks.ts";
export { calculateTaskEv } from "./analysis/calculate_task_ev.ts";
export { criticalPath, weightedCriticalPath } from "./analysis/critical_path.ts";
export type { TaskWeight } from "./analysis/critical_path.ts";
export {
  impactWeight,
  resolveDefaults,
  riskSuccessProbability,
  riskWeight,
  scopeCostEstimate,
  scopeTokenEstimate,
} from "./analysis/estimates.ts";
export { parallelGroups } from "./analysis/parallel_groups.ts";
export { riskDistribution, riskPath } from "./analysis/risk.ts";
export { shouldDecomposeTask } from "./analysis/should_decompose_task.ts";
export { workflowCost } from "./analysis/workflow_cost.ts";
export {
  CircularDependencyError,
  DuplicateEdgeError,
  DuplicateNodeError,
  InvalidInputError,
  TaskgraphError,
  TaskNotFoundError,
} from "./error/taskgraph_error.ts";
export type { GraphValidationError, ValidationError } from "./error/validation_error.ts";
export { parseFrontmatter } from "./frontmatter/parse_frontmatter.ts";
export { parseTaskDirectory, parseTaskFile } from "./frontmatter/parse_task_files.ts";
export type { ParseTaskDirectoryOptions } from "./frontmatter/parse_task_files.ts";
export { serializeFrontmatter } from "./frontmatter/serialize_frontmatter.ts";
export { splitFrontmatter } from "./frontmatter/split_frontmatter.ts";
export type { SplitMarkdown } from "./frontmatter/split_frontmatter.ts";
export type { TaskFileSystem } from "./frontmatter/task_file_system.ts";
export { updateFrontmatter } from "./frontmatter/update_frontmatter.ts";
export { toNodeAttributes } from "./node_attributes.ts";
export { TaskGraphEdgeAttributes, TaskGraphNodeAttributes } from "./schema/attributes.ts";
export {
  TaskImpactEnum,
  TaskLevelEnum,
  TaskPriorityEnum,
  TaskRiskEnum,
  TaskScopeEnum,
  TaskStatusEnum,
} from "./schema/enums.ts";
export type { TaskImpact, TaskLevel, TaskPriority, TaskRisk, TaskScope, TaskStatus } from "./schema/enums.ts";
export { Nullable } from "./schema/nullable.ts";
export {
  DecomposeResult,
  EvConfig,
  EvResult,
  ResolvedTaskAttributes,
  RiskDistributionResult,
  RiskPathResult,
  WorkflowCostOptions,
  WorkflowCostResult,
} from "./schema/results.ts";
export type { PropagationMode, WorkflowCostTask } from "./schema/results.ts";
export { SerializedGraph, TaskGraphSerialized } from "./schema/serialized_graph.ts";
export { DependencyEdge, TaskInput } from "./schema/task_input.ts";
export { TaskGraph } from "./task_graph.ts";
