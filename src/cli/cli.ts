import type { Style } from "./format/style.ts";

/** The world as commands see it. */
export interface Cli {
  /** Writes a line to stdout: results. */
  out(line: string): void;
  /** Writes a line to stderr: everything else. */
  err(line: string): void;
  /** Writes text to stderr as it is: what a terminal shows and wipes. */
  raw(text: string): void;
  readonly style: Style;
  /** Stderr is a terminal: progress can be drawn anew. */
  readonly terminal: boolean;
  /** Columns. */
  readonly width: number;
  env(name: string): string | undefined;
  /** All variables. */
  environment(): Readonly<Record<string, string>>;
  /** Ms since the epoch. */
  now(): number;
  readonly fetch: typeof fetch;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Prints a value as JSON for machines. */
export function outJson(cli: Cli, value: unknown): void {
  cli.out(JSON.stringify(value, null, 2));
}
