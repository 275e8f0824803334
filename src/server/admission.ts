import { CallError } from "@alkdev/operations";

/**
 * Counts the requests under way and refuses more than there is memory for: a request that cannot be answered soon (the database
 * is away, say) is refused at once instead of kept. Requests that wait on purpose are counted apart, as they cost little.
 */
export class Admission {
  readonly #max: number;
  readonly #maxWaiting: number;
  #underWay = 0;
  #waiting = 0;

  constructor({ maxRequests, maxWaiting }: { readonly maxRequests: number; readonly maxWaiting: number }) {
    this.#max = maxRequests;
    this.#maxWaiting = maxWaiting;
  }

  /** Requests under way, those that wait included. */
  get size(): number {
    return this.#underWay + this.#waiting;
  }

  /** @throws {CallError} `TOO_BUSY` */
  enter(waits: boolean): void {
    const [count, max] = waits ? [this.#waiting, this.#maxWaiting] : [this.#underWay, this.#max];
    if (count >= max) {
      const message = `The hub has ${count} requests under way and takes no more: try again soon`;
      throw new CallError("TOO_BUSY", message, { limit: max });
    }
    if (waits) this.#waiting++;
    else this.#underWay++;
  }

  /** Work that goes on after its request was answered: it takes room until it ends. */
  keep(work: Promise<unknown>): void {
    this.#underWay++;
    const end = (): void => void this.#underWay--;
    work.then(end, end);
  }

  /** Once for each that {@linkcode enter} let in, with the same `waits`. */
  leave(waits: boolean): void {
    if (waits) this.#waiting--;
    else this.#underWay--;
  }
}
