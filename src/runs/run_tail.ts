/**
 * One run's log as all its watchers of this process read it: however many they are, each part is read once.
 *
 * - T1 `recent` is the contiguous end of the log as far as it is known, the newest last. What this process commits is added to
 *   it without a read; it is cut at its old end, so that it holds a bounded number of bytes (and always the newest event).
 * - T2 What is older is read in pages that begin at the same seqs for everyone, the last few of which are kept.
 * - T3 Whoever asks for what is being read waits for that read.
 */
import type { EventLog, RunEvent } from "../../engine/mod.ts";
import type { RunFeed } from "./run_feed.ts";

/** Events per read of the log. */
const PAGE = 500;
/** Events that a watcher is given at once: what a slow one holds on to. */
const SLICE = 64;
/** JSON characters, about, that the newest events and the pages of one run may each take. */
const MAX_CHARACTERS = 2_000_000;
const MAX_RECENT = 2 * PAGE;
const MAX_PAGES = 4;
/** How often the log is looked at though nobody told of anything: the run may be driven by another hub. */
const POLL_MS = 1000;

const NONE: readonly RunEvent[] = [];

export class RunTail {
  readonly #log: EventLog;
  readonly #runId: string;
  readonly #unsubscribe: () => void;
  readonly #recent = new Window();
  /** By number, the latest used last. */
  readonly #pages: Map<number, readonly RunEvent[]> = new Map();
  #pageCharacters = 0;
  /** Seq of the last event that is known of without a gap. */
  #end = 0;
  /** The highest seq that somebody told of. */
  #heard = 0;
  /** Whether a read found nothing after `end`, and nobody has told of more since. */
  #atEnd = false;
  /** Told of while events before them were missing: contiguous. */
  #early: RunEvent[] = [];
  readonly #reads: Map<string, Promise<readonly RunEvent[]>> = new Map();
  readonly #waiting: Set<() => void> = new Set();
  #poll: ReturnType<typeof setTimeout> | undefined;
  watchers = 0;

  constructor(log: EventLog, feed: RunFeed, runId: string) {
    this.#log = log;
    this.#runId = runId;
    this.#unsubscribe = feed.subscribe(runId, {
      events: (events) => this.#committed(events),
      look: (seq) => this.#hear(seq),
    });
  }

  /** Some of the events that follow seq `last`, in order. Empty: there are none, as far as is known now. */
  async after(last: number): Promise<readonly RunEvent[]> {
    for (;;) {
      const recent = this.#recent.after(last, SLICE);
      if (recent.length > 0) return recent;
      // Behind, or (the first watcher, or one ahead of all others) where nobody has looked yet.
      if (last !== this.#end) {
        const found = pick(await this.#page(Math.floor(last / PAGE)), last);
        if (found.length > 0 || last > this.#end) return found;
      } else if (this.#atEnd) return NONE;
      else await this.#extend();
    }
  }

  /** Resolves when there may be something after seq `last`, at the latest when it is time to look. */
  async changed(last: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || last < this.#end || (last === this.#end && !this.#atEnd)) return;
    this.#poll ??= setTimeout(() => this.#wake(), POLL_MS);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#waiting.add(wake);
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#wake();
  }

  /** Everyone looks again: the first of them at the log. */
  #wake(): void {
    this.#atEnd = false;
    this.#tell();
  }

  #committed(events: readonly RunEvent[]): void {
    const before = this.#end;
    for (const event of events) this.#take(event);
    const last = events[events.length - 1];
    if (last !== undefined && last.seq > this.#end) this.#hear(last.seq);
    else if (this.#end > before) this.#tell();
  }

  /** There are events up to `seq`. */
  #hear(seq: number): void {
    if (seq <= this.#heard) return;
    this.#heard = seq;
    if (seq > this.#end) this.#wake();
  }

  /** Everyone looks again; the log need not be asked for another while. */
  #tell(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
    for (const wake of [...this.#waiting]) wake();
  }

  #take(event: RunEvent): void {
    if (event.seq <= this.#end) return;
    if (event.seq === this.#end + 1) {
      this.#recent.push(event);
      this.#end = event.seq;
      return;
    }
    const previous = this.#early[this.#early.length - 1];
    if (this.#early.length >= PAGE || (previous !== undefined && previous.seq !== event.seq - 1)) this.#early = [];
    this.#early.push(event);
  }

  /** Reads what follows `end`. */
  async #extend(): Promise<void> {
    this.#adopt(await this.#read(this.#end));
  }

  async #page(number: number): Promise<readonly RunEvent[]> {
    const kept = this.#pages.get(number);
    if (kept !== undefined) {
      this.#pages.delete(number);
      this.#pages.set(number, kept);
      return kept;
    }
    const events = await this.#read(number * PAGE);
    if (events.length < PAGE) {
      // The end of the log: what is known of it may have moved on meanwhile, or nobody had looked.
      if (events.length > 0 && number * PAGE + events.length > this.#end) this.#adopt(events);
    } else if (!this.#pages.has(number)) this.#keep(number, events);
    return events;
  }

  /** `events` follow `end` or what is before it, or reach up to the end of the log. */
  #adopt(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.#end) continue;
      this.#recent.push(event);
      this.#end = event.seq;
    }
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#take(event);
    this.#atEnd = events.length < PAGE && this.#heard <= this.#end;
  }

  #keep(number: number, events: readonly RunEvent[]): void {
    this.#pages.set(number, events);
    this.#pageCharacters += charactersOf(events);
    for (const [oldest, old] of this.#pages) {
      if (this.#pages.size <= MAX_PAGES && this.#pageCharacters <= MAX_CHARACTERS) break;
      this.#pages.delete(oldest);
      this.#pageCharacters -= charactersOf(old);
    }
  }

  #read(after: number): Promise<readonly RunEvent[]> {
    const key = String(after);
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const read = this.#log.read({ runId: this.#runId, after, limit: PAGE }).finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }
}

/** The newest events of a run, contiguous. */
class Window {
  #events: RunEvent[] = [];
  #sizes: number[] = [];
  #characters = 0;

  push(event: RunEvent): void {
    const last = this.#events[this.#events.length - 1];
    if (last !== undefined && last.seq !== event.seq - 1) this.#cut(this.#events.length);
    const size = charactersOf([event]);
    this.#events.push(event);
    this.#sizes.push(size);
    this.#characters += size;
    if (this.#events.length <= MAX_RECENT && this.#characters <= MAX_CHARACTERS) return;
    // A quarter at a time: to take one off an array moves all others.
    let drop = 0;
    for (let rest = this.#characters; drop < this.#events.length - 1; rest -= this.#sizes[drop++]!) {
      if (this.#events.length - drop <= 0.75 * MAX_RECENT && rest <= 0.75 * MAX_CHARACTERS) break;
    }
    this.#cut(drop);
  }

  /** At most `limit` events that follow `last`; empty when the first of them is not here. */
  after(last: number, limit: number): readonly RunEvent[] {
    const from = last + 1 - (this.#events[0]?.seq ?? Infinity);
    return from < 0 ? NONE : this.#events.slice(from, from + limit);
  }

  #cut(count: number): void {
    for (let i = 0; i < count; i++) this.#characters -= this.#sizes[i]!;
    this.#events.splice(0, count);
    this.#sizes.splice(0, count);
  }
}

/** At most a slice of those after `last`, out of a page that holds it. */
function pick(page: readonly RunEvent[], last: number): readonly RunEvent[] {
  const from = last + 1 - (page[0]?.seq ?? Infinity);
  return from < 0 ? NONE : page.slice(from, from + SLICE);
}

function charactersOf(events: readonly RunEvent[]): number {
  return events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
}
