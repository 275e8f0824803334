/**
 * Gathers what all runs append into few transactions.
 *
 * - G1 A run's events are in at most one commit at a time, so that its log never has a gap. As many commits are under way as
 *   the log takes (`EventLog.concurrency`); each takes everything that came meanwhile. The first event of an idle engine is
 *   committed at the end of its turn, without a timer.
 * - G2 A failed commit is sent again, the same batch, until it is durable or the hub is fenced. Nothing of its runs overtakes it.
 * - G3 Events of a patient owner, which nothing waits for, are committed with the next that is somebody else's, or within
 *   {@linkcode PATIENCE_MS}: so what lasts a few ms is one commit and not one a step.
 */
import type { RunEvent } from "./events.ts";
import { type Clock, type CommitResult, type EventLog, FencedError } from "./ports.ts";

/** Whose events are gathered. The fields are the group commit's own. */
export class Appender {
  outbox: RunEvent[] = [];
  /** In `dirty`, or in a commit. */
  commitState: "idle" | "dirty" | "committing" = "idle";
  /** Nothing waits for its events to be durable. */
  isPatient = false;
}

/** How long events of patient owners gather. */
export const PATIENCE_MS = 20;
/** Events beyond which nobody is patient: batches are to stay as small as they are without. */
const PATIENCE_EVENTS = 500;

export interface GroupCommitOptions<Owner extends Appender> {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Called before a batch is closed: the last chance to push. */
  readonly beforeSeal: () => void;
  /** Called once per owner with events in the batch, before the batch is sent. */
  readonly sealed: (owner: Owner) => void;
  /** A batch is durable. Owners may be handed on in parts: see {@linkcode GroupCommit}. */
  readonly committed: (batch: readonly RunEvent[], result: CommitResult) => void;
  /** What follows for one owner of a durable batch. */
  readonly proceed: (owner: Owner, result: CommitResult) => void;
  readonly fenced: (error: FencedError) => void;
  /** A commit failed and will be sent again; null: it went through. */
  readonly trouble: (error: unknown | null) => void;
}

const RETRY_MS = [20, 50, 100, 250, 500, 1000, 2000] as const;

/**
 * Owners of a batch beyond which they proceed in two turns when no other commit is under way: so the one half is worked on
 * while the database writes the other. Without it all runs of a loaded hub march in step and either side waits half the time.
 */
const SPLIT_FROM = 24;

export class GroupCommit<Owner extends Appender> {
  readonly #options: GroupCommitOptions<Owner>;
  readonly #concurrency: number;
  #dirty: Owner[] = [];
  #backlog = 0;
  #scheduled = false;
  /** Somebody waits for what is dirty, or it has waited long enough. */
  #isUrgent = false;
  /** Ends the wait of patient owners; null: none waits. */
  #patience: (() => void) | null = null;
  #inFlight = 0;
  /** Owners in the latest durable batch. */
  #lastOwners = 0;
  /** Owners of a split batch that proceed at the end of this turn. */
  #later: (() => void) | null = null;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<Owner>) {
    this.#options = options;
    this.#concurrency = options.log.concurrency ?? 1;
  }

  /** Events not yet in a commit. */
  get backlog(): number {
    return this.#backlog;
  }

  push(owner: Owner, event: RunEvent): void {
    owner.outbox.push(event);
    this.#backlog++;
    if (owner.commitState === "idle") {
      owner.commitState = "dirty";
      this.#dirty.push(owner);
    }
    if (owner.isPatient && this.#backlog < PATIENCE_EVENTS && this.#idle.length === 0) this.#await();
    else this.hurry();
  }

  /** Whatever waits goes with the next commit: at the end of this turn, if there is room for one. */
  hurry(): void {
    this.#isUrgent = true;
    this.#patience?.();
    this.#patience = null;
    this.schedule();
  }

  #await(): void {
    if (this.#isUrgent || this.#patience !== null) return;
    const { clock } = this.#options;
    this.#patience = clock.at(clock.now() + PATIENCE_MS, () => {
      this.#patience = null;
      this.hurry();
    });
  }

  /** Makes sure that the current turn ends with a look at what is to be done. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    // A lone run has nothing to gather for: looking for input first would cost it 10 µs a step.
    this.#options.clock.afterTurn(this.#turn, this.#inFlight === 0 && this.#lastOwners <= 1);
  }

  /** Resolves when nothing is waiting to become durable. */
  drained(): Promise<void> {
    if (this.#stopped || (this.#inFlight === 0 && this.#backlog === 0 && !this.#scheduled)) return Promise.resolve();
    this.hurry();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** No further commit is started. */
  stop(): void {
    this.#stopped = true;
    this.#patience?.();
    this.#patience = null;
    this.#settleIdle();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#stopped) return;
    this.#options.beforeSeal();
    if (this.#isUrgent && this.#dirty.length > 0 && this.#inFlight < this.#concurrency) this.#seal();
    const later = this.#later;
    if (later !== null) {
      this.#later = null;
      later();
      this.schedule();
    } else if (this.#inFlight === 0 && this.#backlog === 0) this.#settleIdle();
  };

  #seal(): void {
    const owners = this.#dirty;
    const events: RunEvent[] = [];
    this.#dirty = [];
    this.#isUrgent = false;
    for (const owner of owners) {
      const { outbox } = owner;
      for (let i = 0; i < outbox.length; i++) events.push(outbox[i]!);
      owner.outbox = [];
      owner.commitState = "committing";
      this.#options.sealed(owner);
    }
    this.#backlog -= events.length;
    this.#inFlight++;
    this.#send({ events, owners }, 0);
  }

  #send(batch: Batch<Owner>, attempt: number): void {
    this.#options.log.commit(batch.events).then(
      (result) => this.#durable(batch, result, attempt),
      (error: unknown) => {
        if (error instanceof FencedError) {
          if (this.#stopped) return;
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

  #durable({ events, owners }: Batch<Owner>, result: CommitResult, attempt: number): void {
    if (this.#stopped) return;
    this.#inFlight--;
    this.#lastOwners = owners.length;
    if (attempt > 0) this.#options.trouble(null);
    this.#options.committed(events, result);
    for (const owner of owners) {
      if (owner.outbox.length === 0) owner.commitState = "idle";
      else {
        owner.commitState = "dirty";
        this.#dirty.push(owner);
        if (!owner.isPatient || this.#idle.length > 0) this.#isUrgent = true;
        else this.#await();
      }
    }
    const { proceed } = this.#options;
    const splits = this.#concurrency > 1 && this.#inFlight === 0 && this.#later === null && owners.length >= SPLIT_FROM;
    const half = splits ? owners.length >> 1 : owners.length;
    for (let i = 0; i < half; i++) proceed(owners[i]!, result);
    if (splits) {
      this.#later = () => {
        for (let i = half; i < owners.length; i++) proceed(owners[i]!, result);
      };
    }
    this.schedule();
  }

  #settleIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

interface Batch<Owner> {
  readonly events: readonly RunEvent[];
  readonly owners: readonly Owner[];
}
