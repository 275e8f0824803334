/** The hub's log: one line a record, without secrets. @module */
export { configureLogger, hubLogger, type LoggerOptions } from "./configure_logger.ts";
export { redact, redactText } from "./redact.ts";
export { writeStderr } from "./stderr.ts";
