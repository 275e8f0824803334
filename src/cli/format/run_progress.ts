import { baseKey, type PlanNodeView } from "./graph_tree.ts";

/** The part of a run's events that progress is made of. */
export interface ProgressEvent {
  readonly type: string;
  readonly seq: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly key?: string;
  readonly operationId?: string;
  readonly count?: number;
  readonly retryAt?: number | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** How far one place of the plan is. */
export interface StepProgress {
  readonly key: string;
  readonly operationId: string | null;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly retries: number;
  /** How many there will be, as far as is known. */
  readonly expected: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

interface Step {
  operationId: string | null;
  readonly running: Set<string>;
  completed: number;
  failed: number;
  retries: number;
  readonly firstAt: number;
  lastAt: number;
}

/** Follows a run's events and tells how far it is. Steps come in the order in which they first started. */
export class RunProgress {
  readonly #steps = new Map<string, Step>();
  readonly #items = new Map<string, number>();
  readonly #mapOf: ReadonlyMap<string, string>;
  #lastSeq = 0;
  #startedAt: number | null = null;
  #now = 0;

  constructor(plan: readonly PlanNodeView[] | null) {
    this.#mapOf = plan === null ? new Map() : mapsAround(plan);
  }

  /** Seq of the last event taken. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Ms between the run's creation and its last event. */
  get elapsedMs(): number {
    return this.#startedAt === null ? 0 : this.#now - this.#startedAt;
  }

  /** Takes one event, and gives the step that it changed; null: none. An event already taken changes nothing. */
  apply(event: ProgressEvent): StepProgress | null {
    if (event.seq <= this.#lastSeq) return null;
    this.#lastSeq = event.seq;
    this.#startedAt ??= event.at;
    this.#now = event.at;
    if (event.key === undefined) return null;
    const key = baseKey(event.key);
    if (event.type === "map.expanded") this.#items.set(key, (this.#items.get(key) ?? 0) + (event.count ?? 0));
    if (!STEP_EVENTS.has(event.type)) return null;
    const step = this.#step(key, event.at);
    step.lastAt = event.at;
    takeEvent(step, event, event.key);
    return this.#view(key, step);
  }

  /** All steps so far. */
  steps(): readonly StepProgress[] {
    return [...this.#steps].map(([key, step]) => this.#view(key, step));
  }

  #step(key: string, at: number): Step {
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step: Step = {
      operationId: null,
      running: new Set(),
      completed: 0,
      failed: 0,
      retries: 0,
      firstAt: at,
      lastAt: at,
    };
    this.#steps.set(key, step);
    return step;
  }

  #view(key: string, step: Step): StepProgress {
    const { running, completed, failed } = step;
    const map = this.#mapOf.get(key);
    const seen = running.size + completed + failed;
    const expected = Math.max(seen, map === undefined ? 1 : this.#items.get(map) ?? 0);
    return { ...step, key, running: running.size, expected };
  }
}

const STEP_EVENTS: ReadonlySet<string> = new Set([
  "call.requested",
  "call.responded",
  "call.error",
  "call.aborted",
  "node.failed",
  "timer.set",
  "timer.fired",
  "signal.awaited",
  "signal.received",
  "signal.timedout",
]);

function takeEvent(step: Step, event: ProgressEvent, key: string): void {
  switch (event.type) {
    case "call.requested":
    case "timer.set":
    case "signal.awaited":
      step.operationId ??= event.operationId ?? null;
      step.running.add(key);
      return;
    case "call.responded":
    case "timer.fired":
    case "signal.received":
      step.running.delete(key);
      step.completed++;
      return;
    case "call.error":
      if (event.retryAt !== null && event.retryAt !== undefined) {
        step.retries++;
        return;
      }
  }
  step.running.delete(key);
  step.failed++;
}

/** The Map or Loop nearest around each node, by key. */
function mapsAround(plan: readonly PlanNodeView[]): ReadonlyMap<string, string> {
  const around: (string | undefined)[] = [];
  const found = new Map<string, string>();
  plan.forEach(({ key, parent }, index) => {
    const holder = plan[parent];
    const own = holder !== undefined && (holder.kind === "map" || holder.kind === "loop") ? holder.key : around[parent];
    around[index] = own;
    if (own !== undefined) found.set(key, own);
  });
  return found;
}
