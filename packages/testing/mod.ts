/** A test kit for workflow templates: the real engine, virtual time, mocks, faults and recorded histories. @module */
export { createWorkflowTest } from "./workflow_test_kit.ts";
export type { TestRunOptions, WorkflowTest, WorkflowTestOptions } from "./workflow_test_kit.ts";
export type { OperationSchemas } from "./builtins.ts";
export type { CrashPoint } from "./fault.ts";
export { replay } from "./history.ts";
export type { ReplayResult, RunHistory, SavedHistory } from "./history.ts";
export { after, fail, lost, never, returns, sequence, twice } from "./mock.ts";
export type { Mock, MockCall, Mocks } from "./mock.ts";
export type { TestableWorkflow } from "./prepare_run.ts";
export type { TestNode, TestWait, WorkflowRun } from "./workflow_run.ts";
export type { RecordedCall } from "./world.ts";
export type { Divergence } from "@alkdev/engine";
