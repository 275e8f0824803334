/** What one evaluation may spend, in steps of some 50 ns: a node of the expression, an item, 16 characters. */
export const MAX_STEPS = 1_000_000;

/**
 * Thrown once the steps are spent, one and the same: a quantifier catches what its predicate throws and goes on with the next
 * item, so throwing has to be cheap, and who evaluates looks at {@linkcode Budget.spent}, not at what comes out.
 */
const SPENT = new Error(`it takes more than ${MAX_STEPS} steps`);

/** Counts the steps of one evaluation at a time: evaluations neither wait nor nest. */
export class Budget {
  #left = 0;

  /** Starts an evaluation. */
  start(): void {
    this.#left = MAX_STEPS;
  }

  /** @throws when there are not as many left; then, and ever after, there are none. */
  spend(steps: number): void {
    // NaN must not count as little.
    this.#left = this.#left >= steps ? this.#left - steps : -1;
    if (this.#left < 0) throw SPENT;
  }

  /** The reason why the evaluation cannot go on; null: it can. */
  get spent(): string | null {
    return this.#left < 0 ? SPENT.message : null;
  }

  /** Spends what looking at a whole value costs. A value may hold another many times over, and counts it each time. */
  spendOn(value: unknown): void {
    if (typeof value === "string") return this.spend(1 + (value.length >> 4));
    if (typeof value !== "object" || value === null) return this.spend(1);
    if (value instanceof Uint8Array) return this.spend(1 + (value.length >> 4));
    this.spend(1);
    if (Array.isArray(value) || value instanceof Set) { for (const item of value) this.spendOn(item); }
    else if (value instanceof Map) {
      for (const [key, item] of value) {
        this.spendOn(key);
        this.spendOn(item);
      }
    } else for (const item of Object.values(value)) this.spendOn(item);
  }

  /** Spends what going through a value's own items, or its characters, costs. */
  spendOnLength(value: unknown): void {
    if (typeof value === "string" || value instanceof Uint8Array) this.spend(1 + (value.length >> 4));
    else if (typeof value === "object" && value !== null) this.spend(1 + countItems(value));
  }
}

/** How many items a list or map has. */
export function countItems(value: object): number {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : Object.keys(value).length;
}
