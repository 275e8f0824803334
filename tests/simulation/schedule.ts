import type { Chance } from "./random.ts";

/** Virtual time starts here, ms since the epoch. */
export const START = 1_700_000_000_000;

interface Entry {
  readonly due: number;
  /** Orders what is due at the same time: drawn by chance, so that every order comes up. */
  readonly tie: number;
  readonly run: () => void;
  cancelled: boolean;
  readonly background: boolean;
}

/** Everything that will happen, in one heap. Nothing happens but by {@linkcode Schedule.step}. */
export class Schedule {
  now: number = START;
  /** Entries that are not background work: while there are any, something is still going on. */
  foreground = 0;
  readonly #chance: Chance;
  readonly #heap: Entry[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Runs `run` in `delay` ms. Gives its cancellation. Background work does not keep the world going. */
  in(delay: number, run: () => void, background = false): () => void {
    const entry = { due: this.now + Math.max(0, delay), tie: this.#chance.unit(), run, cancelled: false, background };
    if (!background) this.foreground++;
    this.#push(entry);
    return () => {
      if (entry.cancelled) return;
      entry.cancelled = true;
      if (!background) this.foreground--;
    };
  }

  /** Does what is due next. False: nothing is left. */
  step(): boolean {
    for (let entry = this.#pop(); entry !== null; entry = this.#pop()) {
      if (entry.cancelled) continue;
      entry.cancelled = true;
      if (!entry.background) this.foreground--;
      if (entry.due > this.now) this.now = entry.due;
      entry.run();
      return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = at - 1 >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return null;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.due !== b.due ? a.due < b.due : a.tie < b.tie;
}
