/** What can be seen of runs beside their state: logs and progress, metrics, traces, search, estimates. @module */
export { LogCollector } from "./logs/log_collector.ts";
export type { LogCollectorOptions, LogLimits } from "./logs/log_collector.ts";
export { createMemoryLogStore } from "./logs/memory_log_store.ts";
export { LEVELS } from "./logs/ports.ts";
export type { LogLine, LogQuery, LogStore, NewLogLine, NewProgress, RunLogs } from "./logs/ports.ts";
export { createRunLogs, LogFeed } from "./logs/run_logs.ts";
export { LogHistogram } from "./history/log_histogram.ts";
export { createMemoryHistoryStore } from "./history/memory_history_store.ts";
export { type HistoryStore, nodeSubject, type Subject, type SubjectKind } from "./history/ports.ts";
export { type EndedCall, HistoryRecorder, type RecorderOptions } from "./history/recorder.ts";
export { SubjectStats } from "./history/subject_stats.ts";
export { type Usage, usageOf } from "./history/usage.ts";
export { type AnsweredRequest, type Buckets, type Labelled, Meter } from "./metrics/meter.ts";
export { type EndedSpan, TraceRecorder, type TraceRecorderOptions } from "./trace/trace_recorder.ts";
export { createEstimator } from "./estimate/estimator.ts";
export type { Estimate, Estimator, OperationHistory, Range } from "./estimate/ports.ts";
