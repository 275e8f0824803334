import { configure, getLogger, type Logger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { formatJson, formatPretty } from "./format_record.ts";

/** How the log is written. */
export interface LoggerOptions {
  readonly level: LogLevel | "off";
  /** `auto` is pretty where `isTerminal` is true, JSON elsewhere. */
  readonly format: "auto" | "json" | "pretty";
  readonly isTerminal: boolean;
  /** Writes one line, with its line feed. Must not throw. */
  readonly write: (line: string) => void;
}

/** Sets the process's log up. May be called again: the last call counts. */
export async function configureLogger(options: LoggerOptions): Promise<void> {
  const { level, write } = options;
  const pretty = options.format === "pretty" || (options.format === "auto" && options.isTerminal);
  const format = pretty ? formatPretty : formatJson;
  const sink = (record: LogRecord): void => write(`${format(record)}\n`);
  await configure({
    reset: true,
    sinks: { line: sink },
    loggers: [
      { category: ["logtape", "meta"], sinks: level === "off" ? [] : ["line"], lowestLevel: "warning" },
      { category: [], sinks: level === "off" ? [] : ["line"], lowestLevel: level === "off" ? "fatal" : level },
    ],
  });
}

/** The logger of one room: `hubLogger("server")`. */
export function hubLogger(...category: readonly string[]): Logger {
  return getLogger(["hub", ...category]);
}
