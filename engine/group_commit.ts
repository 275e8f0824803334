/**
 * Gathers what all runs append into one transaction at a time.
 *
 * - G1 At most one commit is under way; the next one takes everything that came meanwhile. No timer: the first event of an
 *   idle engine is committed at the end of its turn.
 * - G2 A failed commit is sent again, the same batch, until it is durable or the hub is fenced. Nothing overtakes it.
 */
import type { RunEvent } from "./events.ts";
import { type Clock, type CommitResult, type EventLog, FencedError } from "./ports.ts";

export interface GroupCommitOptions<Owner> {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Called before a batch is closed: the last chance to push. */
  readonly beforeSeal: () => void;
  /** Called once per owner with events in the batch, before the batch is sent. */
  readonly sealed: (owner: Owner) => void;
  readonly committed: (batch: readonly RunEvent[], owners: ReadonlySet<Owner>, result: CommitResult) => void;
  readonly fenced: (error: FencedError) => void;
  /** A commit failed and will be sent again; null: it went through. */
  readonly trouble: (error: unknown | null) => void;
}

const RETRY_MS = [20, 50, 100, 250, 500, 1000, 2000] as const;

export class GroupCommit<Owner> {
  readonly #options: GroupCommitOptions<Owner>;
  #events: RunEvent[] = [];
  #owners: Set<Owner> = new Set();
  #scheduled = false;
  #inFlight = false;
  #stopped = false;
  #idle: (() => void)[] = [];
  /** Told when the next batch to be sealed (or, with nothing to seal, the one under way) is durable. */
  #waiting: (() => void)[] = [];

  constructor(options: GroupCommitOptions<Owner>) {
    this.#options = options;
  }

  /** Events not yet durable, the batch under way not counted. */
  get backlog(): number {
    return this.#events.length;
  }

  push(owner: Owner, event: RunEvent): void {
    this.#events.push(event);
    this.#owners.add(owner);
    this.schedule();
  }

  /** Makes sure that the current turn ends with a look at what is to be done. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#options.clock.afterTurn(this.#turn);
  }

  /** Resolves when all that has been pushed by now is durable, or will never be (fenced, stopped). */
  flushed(): Promise<void> {
    if (this.#events.length === 0 && !this.#inFlight) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when nothing is waiting to become durable. */
  drained(): Promise<void> {
    if (this.#stopped || (!this.#inFlight && this.#events.length === 0 && !this.#scheduled)) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** No further commit is started. */
  stop(): void {
    this.#stopped = true;
    this.#settleIdle();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#stopped) return;
    this.#options.beforeSeal();
    if (this.#inFlight) return;
    if (this.#events.length === 0) return this.#settleIdle();
    const events = this.#events;
    const owners = this.#owners;
    this.#events = [];
    this.#owners = new Set();
    for (const owner of owners) this.#options.sealed(owner);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#inFlight = true;
    this.#send({ events, owners, waiting }, 0);
  };

  #send(batch: Batch<Owner>, attempt: number): void {
    const { events, owners } = batch;
    this.#options.log.commit(events).then(
      (result) => {
        this.#inFlight = false;
        if (this.#stopped) return;
        if (attempt > 0) this.#options.trouble(null);
        this.#options.committed(events, owners, result);
        for (const resolve of batch.waiting) resolve();
        this.schedule();
      },
      (error: unknown) => {
        if (error instanceof FencedError) {
          for (const resolve of batch.waiting) resolve();
          this.stop();
          this.#options.fenced(error);
          return;
        }
        if (this.#stopped) return;
        this.#options.trouble(error);
        const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!;
        const { clock } = this.#options;
        clock.at(clock.now() + wait, () => this.#send(batch, attempt + 1));
      },
    );
  }

  #settleIdle(): void {
    const idle = [...this.#idle, ...this.#waiting];
    this.#idle = [];
    this.#waiting = [];
    for (const resolve of idle) resolve();
  }
}

interface Batch<Owner> {
  readonly events: readonly RunEvent[];
  readonly owners: ReadonlySet<Owner>;
  readonly waiting: readonly (() => void)[];
}
