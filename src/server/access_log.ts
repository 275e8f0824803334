/** A request that was answered, as it is logged: no query and no header, which may hold secrets. */
export interface AccessRecord {
  readonly requestId: string | null;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Until the head of the answer. */
  readonly ms: number;
  readonly orgId: string | null;
  readonly keyId: string | null;
}

/** Writes one record. */
export type AccessSink = (record: AccessRecord) => void;

/** Records that may wait to be written; more are dropped and counted: a log must not take a hub down. */
const MAX_QUEUED = 10_000;

/** Keeps records and writes them when nothing else is to be done. */
export class AccessLog {
  readonly #share: number;
  readonly #sink: AccessSink;
  readonly #random: () => number;
  #queue: AccessRecord[] = [];
  #isScheduled = false;
  /** Records that were never written. */
  dropped = 0;

  constructor(share: number, sink: AccessSink, random: () => number = Math.random) {
    this.#share = share;
    this.#sink = sink;
    this.#random = random;
  }

  /** A server's own failures are always among them. */
  add(record: AccessRecord): void {
    if (record.status < 500 && this.#share < 1 && this.#random() >= this.#share) return;
    if (this.#queue.length >= MAX_QUEUED) {
      this.dropped++;
      return;
    }
    this.#queue.push(record);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => this.flush(), 0);
  }

  /** Writes what is left. */
  flush(): void {
    this.#isScheduled = false;
    const records = this.#queue;
    this.#queue = [];
    for (const record of records) this.#sink(record);
  }
}
