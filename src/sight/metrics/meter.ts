import type { RunEvent } from "../../../engine/mod.ts";

/** Different names of one label at most; further ones are counted together as `other`. */
const MAX_NAMES = 200;
/** Upper ends of the buckets of durations, in seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
  1800,
];
/** Upper ends of the buckets of sizes of commits, in events. */
export const SIZE_BUCKETS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

/** Counts of values by upper end, as Prometheus shows them. */
export class Buckets {
  readonly ends: readonly number[];
  /** One more than `ends`: the last has no end. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(ends: readonly number[]) {
    this.ends = ends;
    this.counts = new Array<number>(ends.length + 1).fill(0);
  }

  add(value: number): void {
    let at = 0;
    while (at < this.ends.length && value > this.ends[at]!) at++;
    this.counts[at]!++;
    this.sum += value;
    this.count++;
  }
}

/** A map from the values of labels to what is counted, of a bounded size. */
export class Labelled<T> {
  readonly #make: () => T;
  readonly #items: Map<string, T> = new Map();

  constructor(make: () => T) {
    this.#make = make;
  }

  /** `rest` are labels of few values: only the first one is replaced by `other`. */
  of(name: string, rest = ""): T {
    const id = rest === "" ? name : `${name}\n${rest}`;
    const known = this.#items.get(id);
    if (known !== undefined) return known;
    const isFull = this.#items.size >= MAX_NAMES;
    const key = isFull ? (rest === "" ? "other" : `other\n${rest}`) : id;
    const found = this.#items.get(key);
    if (found !== undefined) return found;
    const made = this.#make();
    this.#items.set(key, made);
    return made;
  }

  *entries(): Generator<readonly [labels: readonly string[], value: T]> {
    for (const [id, value] of this.#items) yield [id.split("\n"), value];
  }
}

interface Count {
  n: number;
}

/** The attempts of one operation, in seconds, by outcome. */
export class CallMeter {
  readonly ok: Buckets = new Buckets(DURATION_BUCKETS);
  readonly error: Buckets = new Buckets(DURATION_BUCKETS);
  readonly aborted: Buckets = new Buckets(DURATION_BUCKETS);
  retries = 0;
}

/** Counts what this process has done, for Prometheus. Cheap to add to; read only when somebody asks. */
export class Meter {
  readonly runsStarted: Labelled<Count> = new Labelled(() => ({ n: 0 }));
  /** By workflow and status. */
  readonly runsEnded: Labelled<Count> = new Labelled(() => ({ n: 0 }));
  /** By operation. */
  readonly calls: Labelled<CallMeter> = new Labelled(() => new CallMeter());
  /** Seconds. */
  readonly commits: Buckets = new Buckets(DURATION_BUCKETS);
  /** Events. */
  readonly commitSizes: Buckets = new Buckets(SIZE_BUCKETS);
  /** Seconds that calls waited for room in the engine. */
  readonly queueWaits: Buckets = new Buckets(DURATION_BUCKETS);
  /** By route, method and status. */
  readonly requests: Labelled<Buckets> = new Labelled(() => new Buckets(DURATION_BUCKETS));
  /** Seconds. */
  readonly loopLag: Buckets = new Buckets(DURATION_BUCKETS);
  streams = 0;

  /** Called with each commit. `workflowOf` gives the workflow of a live run. */
  observe(events: readonly RunEvent[], workflowOf: (runId: string) => string): void {
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      if (event.type === "run.created") this.runsStarted.of(event.workflow).n++;
      else if (event.type === "run.completed" || event.type === "run.failed" || event.type === "run.aborted") {
        this.runsEnded.of(workflowOf(event.runId), event.type.slice("run.".length)).n++;
      }
    }
  }

  ended(operationId: string, ms: number, code: string | null, isRetried: boolean): void {
    const calls = this.calls.of(operationId);
    const outcome = code === null ? "ok" : code === "ABORTED" ? "aborted" : "error";
    calls[outcome].add(ms / 1000);
    if (isRetried) calls.retries++;
  }

  committed(events: number, ms: number): void {
    this.commits.add(ms / 1000);
    this.commitSizes.add(events);
  }

  answered({ route, method, status, ms }: AnsweredRequest): void {
    this.requests.of(route, `${method}\n${status}`).add(ms / 1000);
  }
}

/** A request that has been answered. A stream is answered when it begins. */
export interface AnsweredRequest {
  /** As it is declared: `/api/runs/:id`. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly ms: number;
}
