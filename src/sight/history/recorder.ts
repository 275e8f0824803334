/**
 * Turns committed events into history, and writes it now and then.
 *
 * - H1 `observe` is called with each commit, in order; it costs a few map look-ups an event and waits for nothing.
 * - H2 What it keeps is bounded: calls and waits under way, and subjects not yet written. Beyond that it forgets, and counts that.
 * - H3 History is an estimate: what was not yet written when the hub is killed is lost.
 */
import type { Clock, EventOf, RunEvent } from "../../../engine/mod.ts";
import { type HistoryStore, nodeSubject, type SubjectKind } from "./ports.ts";
import { SubjectStats } from "./subject_stats.ts";
import { usageOf } from "./usage.ts";

/**
 * Told of a call's attempt that has ended. `code` null: it succeeded; `ABORTED`: it was aborted. Words, not an object: half of all
 * events come here.
 */
export type OnCall = (operationId: string, ms: number, code: string | null, isRetried: boolean) => void;

export interface RecorderOptions {
  readonly store: HistoryStore;
  readonly clock: Clock;
  /** The `run.created` of a live run. */
  readonly created: (runId: string) => EventOf<"run.created"> | null;
  /** Told of every attempt that has ended. */
  readonly onCall?: OnCall;
  readonly onTrouble?: (error: unknown) => void;
  readonly flushMs?: number;
}

const FLUSH_MS = 1_000;
/** Calls, waits and costs of runs under way. */
const MAX_OPEN = 50_000;
/** Subjects not yet written. */
const MAX_SUBJECTS = 5_000;

type Outcome = EventOf<"call.responded" | "call.error" | "call.aborted">;

export class HistoryRecorder {
  readonly #options: RecorderOptions;
  readonly #openCalls: Map<string, { readonly operationId: string; readonly at: number }> = new Map();
  readonly #openWaits: Map<string, number> = new Map();
  /** What runs under way have used: few do. */
  readonly #used: Map<string, { cost: number; tokens: number }> = new Map();
  /** Organization -> kind -> name -> what is to be written. */
  #fresh: Map<string, Record<SubjectKind, Map<string, SubjectStats>>> = new Map();
  #subjects = 0;
  #forgotten = 0;
  #cancelTimer: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Facts that there was no room for. */
  get forgotten(): number {
    return this.#forgotten;
  }

  observe(events: readonly RunEvent[]): void {
    let created: EventOf<"run.created"> | null = null;
    let runId = "";
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      if (runId !== event.runId) {
        runId = event.runId;
        created = event.type === "run.created" ? event : this.#options.created(event.runId);
      }
      if (created === null) continue;
      if (event.type === "call.requested") {
        const next = events[i + 1];
        if (next !== undefined && isOutcome(next) && next.requestId === event.requestId) {
          this.#call(created, event.operationId, next.at - event.at, next);
          i++;
        } else this.#open(this.#openCalls, event.requestId, event);
      } else this.#note(created, event);
    }
  }

  /** Writes what is known; resolves when it is written, or was given up. */
  flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const fresh = this.#fresh;
    if (this.#subjects === 0) return this.#writing;
    this.#fresh = new Map();
    this.#subjects = 0;
    const deltas = [...fresh].flatMap(([orgId, kinds]) =>
      KINDS.flatMap((kind) => [...kinds[kind]].map(([name, stats]) => ({ orgId, kind, name, stats })))
    );
    return this.#writing = this.#writing.then(() => this.#options.store.merge(deltas)).catch((error: unknown) => {
      this.#forgotten += deltas.length;
      this.#options.onTrouble?.(error);
    });
  }

  async close(): Promise<void> {
    await this.flush();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #note(created: EventOf<"run.created">, event: RunEvent): void {
    const { caller: { orgId }, workflow, runId } = created;
    switch (event.type) {
      case "call.responded":
      case "call.error":
      case "call.aborted": {
        const open = this.#openCalls.get(event.requestId);
        if (open === undefined) return; // another hub saw it begin
        this.#openCalls.delete(event.requestId);
        return this.#call(created, open.operationId, event.at - open.at, event);
      }
      case "branch.taken":
        return this.#of(orgId, "branch", nodeSubject(workflow, event.key))?.note(event.branch);
      case "map.expanded":
        return this.#of(orgId, "count", nodeSubject(workflow, event.key))?.count.add(event.count);
      case "loop.turned":
        if (!event.again) this.#of(orgId, "count", nodeSubject(workflow, event.key))?.count.add(event.turns);
        return;
      case "signal.awaited":
        return this.#open(this.#openWaits, `${runId}\n${event.key}`, event.at);
      case "signal.received":
      case "signal.timedout":
        return this.#waited(created, event);
      case "run.completed":
      case "run.failed":
      case "run.aborted":
        return this.#ended(created, event);
    }
  }

  #call(created: EventOf<"run.created">, operationId: string, ms: number, event: Outcome): void {
    const code = event.type === "call.error" ? event.error.code : event.type === "call.aborted" ? "ABORTED" : null;
    const isRetried = event.type === "call.error" && event.retryAt !== null;
    this.#options.onCall?.(operationId, ms, code, isRetried);
    if (event.type === "call.aborted") return; // says nothing of the operation
    const stats = this.#of(created.caller.orgId, "operation", operationId);
    if (stats === null) return;
    if (event.type === "call.error") {
      stats.failed++;
      stats.failedDuration.add(ms);
      return stats.note(event.error.code);
    }
    stats.ok++;
    stats.duration.add(ms);
    const usage = usageOf(event.output.meta);
    if (usage === null) return;
    stats.cost.add(usage.costMicros);
    stats.tokens.add(usage.tokens);
    const used = this.#used.get(created.runId) ?? { cost: 0, tokens: 0 };
    used.cost += usage.costMicros;
    used.tokens += usage.tokens;
    this.#open(this.#used, created.runId, used);
  }

  #waited(created: EventOf<"run.created">, event: EventOf<"signal.received" | "signal.timedout">): void {
    const id = `${created.runId}\n${event.key}`;
    const since = this.#openWaits.get(id);
    if (since === undefined) return;
    this.#openWaits.delete(id);
    const stats = this.#of(created.caller.orgId, "wait", nodeSubject(created.workflow, event.key));
    if (stats === null) return;
    const isAnswered = event.type === "signal.received";
    if (isAnswered) stats.ok++;
    else stats.failed++;
    (isAnswered ? stats.duration : stats.failedDuration).add(event.at - since);
  }

  #ended(created: EventOf<"run.created">, event: EventOf<"run.completed" | "run.failed" | "run.aborted">): void {
    const used = this.#used.get(created.runId);
    if (used !== undefined) {
      this.#used.delete(created.runId);
      const above = created.parent === null
        ? undefined
        : this.#used.get(created.parent.runId) ?? { cost: 0, tokens: 0 };
      if (above !== undefined && created.parent !== null) {
        above.cost += used.cost;
        above.tokens += used.tokens;
        this.#open(this.#used, created.parent.runId, above);
      }
    }
    if (event.type === "run.aborted") return; // somebody's wish, and no habit of the workflow
    const stats = this.#of(created.caller.orgId, "workflow", created.workflow);
    if (stats === null) return;
    const ms = event.at - created.at;
    if (event.type === "run.completed") {
      stats.ok++;
      stats.duration.add(ms);
    } else {
      stats.failed++;
      stats.failedDuration.add(ms);
      stats.note(event.error.code);
    }
    stats.count.add(event.counts.total);
    if (used === undefined) return;
    stats.cost.add(used.cost);
    stats.tokens.add(used.tokens);
  }

  #open<T>(map: Map<string, T>, id: string, value: T): void {
    if (map.size >= MAX_OPEN && !map.has(id)) {
      // The oldest is the likeliest never to be heard of again.
      for (const oldest of map.keys()) {
        map.delete(oldest);
        break;
      }
      this.#forgotten++;
    }
    map.set(id, value);
  }

  #of(orgId: string, kind: SubjectKind, name: string): SubjectStats | null {
    let kinds = this.#fresh.get(orgId);
    if (kinds === undefined) this.#fresh.set(orgId, kinds = noSubjects());
    const subjects = kinds[kind];
    const known = subjects.get(name);
    if (known !== undefined) return known;
    if (this.#subjects >= MAX_SUBJECTS) {
      this.#forgotten++;
      return null;
    }
    this.#subjects++;
    const stats = new SubjectStats();
    subjects.set(name, stats);
    if (this.#cancelTimer === null) {
      const { clock, flushMs = FLUSH_MS } = this.#options;
      this.#cancelTimer = clock.at(clock.now() + flushMs, () => void this.flush());
    }
    return stats;
  }
}

function isOutcome(event: RunEvent): event is Outcome {
  return event.type === "call.responded" || event.type === "call.error" || event.type === "call.aborted";
}

const KINDS: readonly SubjectKind[] = ["operation", "workflow", "branch", "count", "wait"];

function noSubjects(): Record<SubjectKind, Map<string, SubjectStats>> {
  return { operation: new Map(), workflow: new Map(), branch: new Map(), count: new Map(), wait: new Map() };
}
