import type { Place } from "./state/frame.ts";

/**
 * How far one run's log is durable, and what waits for that. A batch goes from `seal` to `settle`; at most one is under way.
 */
export class Durability {
  #sealedSeq = 0;
  #durableSeq: number;
  #waiting: { readonly seq: number; readonly resolve: () => void }[] | null = null;
  /** Retries that came due before the failure they follow was durable. */
  #early: Early[] | null = null;

  constructor(durableSeq: number) {
    this.#durableSeq = durableSeq;
  }

  has(seq: number): boolean {
    return seq <= this.#durableSeq;
  }

  seal(seq: number): void {
    this.#sealedSeq = seq;
  }

  /** The sealed batch is durable: gives the places that had come due too early. */
  settle(): readonly Place[] {
    this.#durableSeq = this.#sealedSeq;
    if (this.#waiting !== null) {
      const waiting = this.#waiting;
      const left = waiting.filter(({ seq }) => !this.has(seq));
      this.#waiting = left.length === 0 ? null : left;
      for (const { seq, resolve } of waiting) if (this.has(seq)) resolve();
    }
    if (this.#early === null) return NONE;
    const early = this.#early;
    const left = early.filter(({ seq }) => !this.has(seq));
    this.#early = left.length === 0 ? null : left;
    // Meanwhile the attempt may have been made: a nudge and the retry's own time can both come due.
    return early.filter(({ seq, place, attempt }) => this.has(seq) && attemptAt(place) === attempt)
      .map(({ place }) => place);
  }

  /** Keeps a place until `seq` is durable. */
  defer(place: Place, seq: number): void {
    (this.#early ??= []).push({ place, seq, attempt: attemptAt(place) });
  }

  /** The run has moved to another state: what waits stands elsewhere. What another attempt has overtaken waits no more. */
  carry(move: (place: Place) => Place): void {
    const wanted = this.#early?.filter(({ place, attempt }) => attemptAt(place) === attempt) ?? [];
    this.#early = wanted.length === 0 ? null : wanted.map((one) => ({ ...one, place: move(one.place) }));
  }

  /** Resolves when `seq` is durable, or never will be. */
  reached(seq: number): Promise<void> {
    if (this.has(seq)) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push({ seq, resolve }));
  }

  /** Nothing more becomes durable. */
  giveUp(): void {
    for (const { resolve } of this.#waiting ?? []) resolve();
    this.#waiting = null;
    this.#early = null;
  }
}

interface Early {
  readonly place: Place;
  readonly seq: number;
  /** The attempt that had failed when it was put here. */
  readonly attempt: number;
}

function attemptAt({ frame, vertex }: Place): number {
  return frame.cells[vertex]?.attempt ?? 0;
}

const NONE: readonly never[] = [];
