/** What goes wrong on demand. `times` is how many requests it befalls; absent: 1. */
export type Fault =
  & { readonly times?: number; /** Only requests of this key. */ readonly key?: string }
  & (
    | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: string;
      readonly code?: string;
      readonly message?: string;
    }
    /** The first byte comes late. */
    | { readonly kind: "slow"; readonly ms: number }
    /** Each later chunk comes late. */
    | { readonly kind: "slow-chunks"; readonly ms: number }
    /** The connection breaks after `after` chunks (0: before the first). */
    | { readonly kind: "cut"; readonly after: number }
    /** After `after` chunks comes one that is no JSON. */
    | { readonly kind: "malformed"; readonly after: number }
    /** Says nothing of what was used, though asked. */
    | { readonly kind: "no-usage" }
    /** Says what was not used. */
    | { readonly kind: "wrong-usage"; readonly input: number; readonly output: number }
    /** Never answers. */
    | { readonly kind: "hang" }
  );

/** The faults that are still to come, oldest first. */
export class Faults {
  #queue: { readonly fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#queue.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#queue = [];
  }

  /** The fault that befalls a request of `key`; null: none. */
  take(key: string): Fault | null {
    const entry = this.#queue.find(({ fault }) => fault.key === undefined || fault.key === key);
    if (entry === undefined) return null;
    if (--entry.left <= 0) this.#queue = this.#queue.filter((other) => other !== entry);
    return entry.fault;
  }
}
