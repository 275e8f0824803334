import type { NodeCall } from "./node_call.ts";

/**
 * The calls of a run by node key. Most runs have one at a time, which needs no collection: a map that is filled and emptied in
 * turns is made anew by each.
 */
export class CallTable {
  #only: NodeCall | null = null;
  /** Null: there is at most one. */
  #more: Map<string, NodeCall> | null = null;

  get size(): number {
    return this.#more?.size ?? (this.#only === null ? 0 : 1);
  }

  get(key: string): NodeCall | undefined {
    if (this.#more !== null) return this.#more.get(key);
    return this.#only !== null && this.#only.nodeKey === key ? this.#only : undefined;
  }

  /** In place of one with the same key. */
  add(call: NodeCall): void {
    if (this.#more !== null) this.#more.set(call.nodeKey, call);
    else if (this.#only === null || this.#only.nodeKey === call.nodeKey) this.#only = call;
    else {
      this.#more = new Map([[this.#only.nodeKey, this.#only], [call.nodeKey, call]]);
      this.#only = null;
    }
  }

  delete(key: string): void {
    if (this.#more !== null) this.#more.delete(key);
    else if (this.#only?.nodeKey === key) this.#only = null;
    if (this.#more?.size === 0) this.#more = null;
  }

  /** As they are now, in order of their start. */
  values(): readonly NodeCall[] {
    if (this.#more !== null) return [...this.#more.values()];
    return this.#only === null ? [] : [this.#only];
  }
}
