/** What can be seen of runs beside their state: logs and progress, metrics, traces, search, estimates. @module */
export { LogCollector } from "./logs/log_collector.ts";
export type { LogCollectorOptions, LogLimits } from "./logs/log_collector.ts";
export { createMemoryLogStore } from "./logs/memory_log_store.ts";
export { LEVELS } from "./logs/ports.ts";
export type { LogLine, LogQuery, LogStore, NewLogLine, NewProgress, RunLogs } from "./logs/ports.ts";
export { createRunLogs, LogFeed } from "./logs/run_logs.ts";
