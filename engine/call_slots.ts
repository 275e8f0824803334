/**
 * Room for calls under way, and the queue before it.
 *
 * - C1 At most `max` calls hold a slot, at most `maxPerOrg` of one organization: a flood of one leaves room for the others.
 * - C2 Who waits is served in turn between organizations; within one by rank, which is priority and age (`rank.ts`).
 */
import { RankedLine } from "./ranked_line.ts";

export class CallSlots<Call extends { readonly orgId: string; readonly ended: boolean; readonly rank: number }> {
  readonly #max: number;
  readonly #maxPerOrg: number;
  #taken = 0;
  readonly #takenBy: Map<string, number> = new Map();
  readonly #waiting: Map<string, RankedLine<Call>> = new Map();
  #queued = 0;

  constructor(limits: { readonly max: number; readonly maxPerOrg: number }) {
    this.#max = limits.max;
    this.#maxPerOrg = Math.min(limits.max, limits.maxPerOrg);
  }

  get taken(): number {
    return this.#taken;
  }

  get queued(): number {
    return this.#queued;
  }

  /** True: the call has a slot. False: it waits, and comes out of {@linkcode next} when it is its turn. */
  take(call: Call): boolean {
    const { orgId } = call;
    if (this.#hasRoom(orgId) && !this.#waiting.has(orgId)) {
      this.#occupy(orgId);
      return true;
    }
    let line = this.#waiting.get(orgId);
    if (line === undefined) this.#waiting.set(orgId, line = new RankedLine());
    line.push(call);
    this.#queued++;
    return false;
  }

  /** Gives a slot back. */
  release(orgId: string): void {
    this.#taken--;
    const left = (this.#takenBy.get(orgId) ?? 1) - 1;
    if (left === 0) this.#takenBy.delete(orgId);
    else this.#takenBy.set(orgId, left);
  }

  /** The next waiting call that there is room for, now holding a slot; null for none. Calls that have ended are dropped. */
  next(): Call | null {
    for (const [orgId, line] of this.#waiting) {
      if (this.#taken >= this.#max) return null;
      if (!this.#hasRoom(orgId)) continue;
      const call = this.#shift(line);
      this.#waiting.delete(orgId);
      if (line.length > 0) this.#waiting.set(orgId, line); // to the end of the turn
      if (call === null) continue;
      this.#occupy(orgId);
      return call;
    }
    return null;
  }

  clear(): void {
    this.#waiting.clear();
    this.#queued = 0;
  }

  #shift(line: RankedLine<Call>): Call | null {
    for (let call = line.shift(); call !== undefined; call = line.shift()) {
      this.#queued--;
      if (!call.ended) return call;
    }
    return null;
  }

  #hasRoom(orgId: string): boolean {
    return this.#taken < this.#max && (this.#takenBy.get(orgId) ?? 0) < this.#maxPerOrg;
  }

  #occupy(orgId: string): void {
    this.#taken++;
    this.#takenBy.set(orgId, (this.#takenBy.get(orgId) ?? 0) + 1);
  }
}
