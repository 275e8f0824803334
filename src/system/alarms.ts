/** One alarm: a callback at a time. Cancelling leaves it in the heap, without its callback, until its time comes. */
interface Alarm {
  readonly due: number;
  /** Order of setting, for alarms of the same time. */
  readonly order: number;
  callback: (() => void) | null;
}

/** Cancelled alarms beyond which the heap is built anew. */
const MAX_DEAD = 1024;

/**
 * Many alarms on one timer: a hundred thousand sleeping runs cost a small object each instead of a timer of the runtime each.
 * `setTimer` arms the one timer for a due time, replacing the last; it calls {@linkcode Alarms.ring}.
 */
export class Alarms {
  readonly #setTimer: (due: number) => void;
  #heap: Alarm[] = [];
  #orders = 0;
  #dead = 0;
  /** For when the timer is armed. */
  #armedFor = Infinity;

  constructor(setTimer: (due: number) => void) {
    this.#setTimer = setTimer;
  }

  get size(): number {
    return this.#heap.length - this.#dead;
  }

  /** Gives the alarm's cancellation. */
  at(due: number, callback: () => void): () => void {
    const alarm: Alarm = { due, order: this.#orders++, callback };
    this.#heap.push(alarm);
    this.#up(this.#heap.length - 1);
    this.#arm();
    return () => {
      if (alarm.callback === null) return;
      alarm.callback = null;
      this.#dead++;
      if (this.#dead > MAX_DEAD && this.#dead * 2 > this.#heap.length) this.#rebuild();
    };
  }

  /** Calls what is due at `now`, in order. */
  ring(now: number): void {
    this.#armedFor = Infinity;
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      this.#removeFirst();
      const { callback } = first;
      first.callback = null;
      if (callback === null) this.#dead--;
      else callback();
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#heap[0]?.due ?? Infinity;
    if (due >= this.#armedFor) return;
    this.#armedFor = due;
    this.#setTimer(due);
  }

  #rebuild(): void {
    this.#heap = this.#heap.filter((alarm) => alarm.callback !== null).sort(compare);
    this.#dead = 0;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(index: number): void {
    const heap = this.#heap;
    const alarm = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (compare(heap[parent]!, alarm) <= 0) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = alarm;
  }

  #down(index: number): void {
    const heap = this.#heap;
    const alarm = heap[index]!;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) < 0) child++;
      if (compare(alarm, heap[child]!) <= 0) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = alarm;
  }
}

function compare(a: Alarm, b: Alarm): number {
  return a.due - b.due || a.order - b.order;
}
