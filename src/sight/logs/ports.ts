/** Log lines and progress of nodes: their shapes, where they are kept, who is told. */
import type { Json } from "@alkdev/flowgraph";
import type { LogLevel } from "@alkdev/operations";
import type { Caller, NodeProgress } from "../../runs/mod.ts";

/** A line on its way to the store. Times are ms since the epoch. */
export interface NewLogLine {
  readonly runId: string;
  readonly at: number;
  /** With Map and Loop indices. */
  readonly key: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly level: LogLevel;
  /** At most 8,192 characters, without secrets. */
  readonly message: string;
  /** Null: none. */
  readonly data: Json;
}

/** A line as it is kept. */
export interface LogLine extends NewLogLine {
  /** Rises within a run; where a reader goes on. */
  readonly id: number;
}

export interface NewProgress extends NodeProgress {
  readonly runId: string;
  readonly key: string;
  readonly attempt: number;
}

/** Where lines and progress are kept. */
export interface LogStore {
  /** Whole or not at all. A line that can be read is after all that could be read before. */
  append(batch: { readonly lines: readonly NewLogLine[]; readonly progress: readonly NewProgress[] }): Promise<void>;
  /** In order of id. */
  read(query: LogQuery): Promise<readonly LogLine[]>;
  /** The latest progress of each node of a run, newest first, at most `limit`. */
  progress(params: { readonly runId: string; readonly limit: number }): Promise<readonly NewProgress[]>;
}

export interface LogQuery {
  readonly runId: string;
  /** A node's key; without indices: all its items too. */
  readonly node?: string;
  /** This one and the graver ones. */
  readonly level?: LogLevel;
  /** Lines with a greater id only. */
  readonly after: number;
  readonly limit: number;
}

/** Lines of one caller's runs. @throws CallError RUN_NOT_FOUND */
export interface RunLogs {
  read(params: LogQuery & { readonly caller: Caller }): Promise<readonly LogLine[]>;
  /** Every line after `after`, live, ending when the run has ended and all its lines were given. No repeat. */
  watch(
    params: Omit<LogQuery, "limit"> & { readonly caller: Caller; readonly signal: AbortSignal },
  ): AsyncIterable<LogLine>;
}

/** From the least to the gravest. */
export const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
