/**
 * Takes what handlers and spokes say about their calls, and writes it in batches.
 *
 * - L1 Saying something never waits and never throws: a line goes into a bounded buffer or is dropped.
 * - L2 What is dropped is counted, per run, and said in the run's own log as a line of level `warn`.
 * - L3 Of a node's progress only the latest is kept; it cannot flood.
 * - L4 One write is under way at a time; one that fails is sent again, the same batch, while the buffer stays bounded.
 * - L5 A run that never stops talking fills no disk: after `maxRunTotal` lines only the count of what it says is kept, once a minute.
 */
import type { Json } from "@alkdev/flowgraph";
import type { LogLevel } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../../engine/mod.ts";
import { redact, redactText } from "../../logger/redact.ts";
import type { LogStore, NewLogLine, NewProgress } from "./ports.ts";
import { toProgress } from "./to_progress.ts";

export interface LogCollectorOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly limits?: Partial<LogLimits>;
  /** A batch could not be written (and is kept); null: it was. */
  readonly onTrouble?: (error: unknown | null) => void;
  /** These runs have new lines. */
  readonly onWritten?: (runIds: ReadonlySet<string>) => void;
}

export interface LogLimits {
  /** From the first line to its write. */
  readonly flushMs: number;
  /** Lines of all runs that wait. */
  readonly maxLines: number;
  /** Bytes of all runs that wait, about. */
  readonly maxBytes: number;
  /** Lines of one run that wait. */
  readonly maxRunLines: number;
  /** Lines of one run that are kept at all, by this process. */
  readonly maxRunTotal: number;
  /** Of a line's data as JSON; larger is cut to a note. */
  readonly maxDataBytes: number;
  /** Lines in one write. */
  readonly batchLines: number;
  /** Nodes whose progress waits. */
  readonly maxProgress: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = {
  flushMs: 200,
  maxLines: 20_000,
  maxBytes: 16 * 1024 * 1024,
  maxRunLines: 1_000,
  maxRunTotal: 100_000,
  maxDataBytes: 16 * 1024,
  batchLines: 2_000,
  maxProgress: 20_000,
};

interface Dropped {
  count: number;
  last: NewLogLine;
  /** When it is said; ms since the epoch. */
  readonly dueAt: number;
}

/** Between two notes of a run that has said all it may. */
const NOTE_EVERY_MS = 60_000;
/** Runs whose lines are counted: those that spoke last. */
const MAX_TOTALS = 20_000;

export class LogCollector {
  readonly #options: LogCollectorOptions;
  readonly #limits: LogLimits;
  #lines: NewLogLine[] = [];
  #bytes = 0;
  readonly #byRun: Map<string, number> = new Map();
  readonly #progress: Map<string, NewProgress> = new Map();
  readonly #dropped: Map<string, Dropped> = new Map();
  readonly #totals: Map<string, number> = new Map();
  #closing = false;
  #droppedTotal = 0;
  #cancelTimer: (() => void) | null = null;
  #timerDue = 0;
  #writing: Promise<void> | null = null;
  #failures = 0;

  constructor(options: LogCollectorOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LOG_LIMITS, ...options.limits };
  }

  /** Lines waiting, and lines dropped since the start. */
  stats(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#lines.length, dropped: this.#droppedTotal };
  }

  /** A call outside any run has no log of its own: nothing happens. */
  log(call: DispatchedCall, level: LogLevel, message: string, data: unknown): void {
    if (call.runId === "") return;
    const { runId, nodeKey: key, attempt, requestId } = call;
    const head = { runId, at: this.#options.clock.now(), key, attempt, requestId, level };
    const waiting = this.#byRun.get(runId) ?? 0;
    const { maxLines, maxBytes, maxRunLines, maxRunTotal } = this.#limits;
    const total = this.#totals.get(runId) ?? 0;
    if (total >= maxRunTotal) return this.#drop({ ...head, message: "", data: null }, head.at + NOTE_EVERY_MS);
    if (waiting >= maxRunLines || this.#lines.length >= maxLines || this.#bytes >= maxBytes) {
      return this.#drop({ ...head, message: "", data: null }, head.at);
    }
    this.#count(runId, total + 1);
    this.#push({ ...head, message: redactText(message), data: this.#clean(data) });
  }

  progress(call: DispatchedCall, value: unknown): void {
    if (call.runId === "") return;
    const { runId, nodeKey: key, attempt } = call;
    const id = `${runId}\n${key}`;
    if (!this.#progress.has(id) && this.#progress.size >= this.#limits.maxProgress) return;
    this.#progress.set(id, { runId, key, attempt, ...toProgress(value, this.#options.clock.now()) });
    this.#schedule(this.#limits.flushMs);
  }

  /** Writes what waits; resolves when it is written, or could not be. */
  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    while (this.#writing !== null) await this.#writing;
    if (this.#isEmpty()) return;
    this.#writing = this.#write();
    await this.#writing;
    this.#writing = null;
    this.#again();
  }

  /** Writes all that waits, with a few attempts. */
  async close(): Promise<void> {
    this.#closing = true;
    for (let attempt = 0; attempt < 3 && !this.#isEmpty();) {
      const before = this.#failures;
      await this.flush();
      if (this.#failures > before) attempt++;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #isEmpty(): boolean {
    return this.#lines.length === 0 && this.#progress.size === 0 && this.#dropped.size === 0;
  }

  #push(line: NewLogLine): void {
    this.#lines.push(line);
    this.#bytes += sizeOf(line);
    this.#byRun.set(line.runId, (this.#byRun.get(line.runId) ?? 0) + 1);
    this.#schedule(this.#limits.flushMs);
  }

  #count(runId: string, total: number): void {
    this.#totals.delete(runId);
    this.#totals.set(runId, total);
    if (this.#totals.size <= MAX_TOTALS) return;
    for (const oldest of this.#totals.keys()) {
      this.#totals.delete(oldest);
      break;
    }
  }

  #drop(line: NewLogLine, dueAt: number): void {
    this.#droppedTotal++;
    const known = this.#dropped.get(line.runId);
    if (known !== undefined) {
      known.count++;
      known.last = line;
    } else if (this.#dropped.size < this.#limits.maxLines) {
      this.#dropped.set(line.runId, { count: 1, last: line, dueAt });
    }
    this.#schedule(Math.max(this.#limits.flushMs, dueAt - line.at));
  }

  /** JSON without secrets, or a note of what it was. */
  #clean(data: unknown): Json {
    if (data === null || data === undefined) return null;
    try {
      const text = JSON.stringify(redact(data)) ?? "null";
      if (text.length <= this.#limits.maxDataBytes) return JSON.parse(text);
      return { truncated: true, bytes: text.length, start: text.slice(0, 1024) };
    } catch {
      return { unreadable: true };
    }
  }

  #schedule(ms: number): void {
    if (this.#writing !== null) return; // `#again` comes after it
    const { clock } = this.#options;
    const due = clock.now() + ms;
    if (this.#cancelTimer !== null && this.#timerDue <= due) return;
    this.#cancelTimer?.();
    this.#timerDue = due;
    this.#cancelTimer = clock.at(due, () => {
      this.#cancelTimer = null;
      void this.flush();
    });
  }

  async #write(): Promise<void> {
    const lines = this.#lines.slice(0, this.#limits.batchLines);
    const now = this.#options.clock.now();
    const notes = new Map([...this.#dropped].filter(([, { dueAt }]) => this.#closing || dueAt <= now));
    for (const runId of notes.keys()) this.#dropped.delete(runId);
    const progress = [...this.#progress.values()];
    this.#progress.clear();
    try {
      await this.#options.store.append({ lines: [...lines, ...[...notes.values()].map(noteOf)], progress });
      this.#lines = this.#lines.slice(lines.length);
      for (const line of lines) this.#forget(line);
      if (this.#failures > 0) this.#options.onTrouble?.(null);
      this.#failures = 0;
      this.#options.onWritten?.(new Set([...lines.map(({ runId }) => runId), ...notes.keys()]));
    } catch (error) {
      this.#failures++;
      this.#putBack(notes, progress);
      this.#options.onTrouble?.(error);
    }
  }

  /** Once the write has ended: what is left is written later, notes when they are due. */
  #again(): void {
    const { flushMs } = this.#limits;
    const wait = Math.min(5_000, flushMs * 2 ** Math.min(this.#failures, 5));
    if (this.#lines.length > 0 || this.#progress.size > 0) return this.#schedule(wait);
    let due = Infinity;
    for (const note of this.#dropped.values()) due = Math.min(due, note.dueAt);
    if (due !== Infinity) this.#schedule(Math.max(wait, due - this.#options.clock.now()));
  }

  #forget(line: NewLogLine): void {
    this.#bytes -= sizeOf(line);
    const left = (this.#byRun.get(line.runId) ?? 1) - 1;
    if (left > 0) this.#byRun.set(line.runId, left);
    else this.#byRun.delete(line.runId);
  }

  #putBack(notes: ReadonlyMap<string, Dropped>, progress: readonly NewProgress[]): void {
    for (const [runId, { count, last, dueAt }] of notes) {
      const newer = this.#dropped.get(runId);
      if (newer === undefined) this.#dropped.set(runId, { count, last, dueAt });
      else newer.count += count;
    }
    for (const one of progress) {
      const id = `${one.runId}\n${one.key}`;
      if (!this.#progress.has(id)) this.#progress.set(id, one);
    }
  }
}

function noteOf({ count, last }: Dropped): NewLogLine {
  const message = `${count} log ${count === 1 ? "line was" : "lines were"} dropped: too many came at once`;
  return { ...last, level: "warn", message, data: { dropped: count } };
}

function sizeOf({ message, data, key }: NewLogLine): number {
  return 100 + message.length + key.length + (data === null ? 0 : JSON.stringify(data).length);
}
