import type { EventBody, RunEvent } from "@alkdev/engine";

/** Where the hub is killed, as with `kill -9`, and started again. */
export interface CrashPoint {
  /** Right after this event has become durable, before anything learns of it. */
  readonly after?: EventBody["type"];
  /** Right before: the event is lost. */
  readonly before?: EventBody["type"];
  /** Of this node only. */
  readonly key?: string;
  /** The how manyeth such event; default 1. */
  readonly nth?: number;
}

/** Crash points that have not been reached. */
export class Faults {
  readonly #points: { readonly point: CrashPoint; left: number }[] = [];

  add(point: CrashPoint): void {
    if ((point.after === undefined) === (point.before === undefined)) {
      throw new TypeError('A crash point wants one of "after" and "before"');
    }
    this.#points.push({ point, left: point.nth ?? 1 });
  }

  /** Those that no event has reached. */
  get unreached(): readonly CrashPoint[] {
    return this.#points.map(({ point }) => point);
  }

  /** Is the hub to be killed before, or after, this batch is durable? Each point once. */
  reached(when: "before" | "after", batch: readonly RunEvent[]): boolean {
    for (const [index, fault] of this.#points.entries()) {
      const type = fault.point[when];
      if (type === undefined) continue;
      for (const event of batch) {
        if (event.type !== type || (fault.point.key !== undefined && !hasKey(event, fault.point.key))) continue;
        if (--fault.left > 0) continue;
        this.#points.splice(index, 1);
        return true;
      }
    }
    return false;
  }
}

function hasKey(event: RunEvent, key: string): boolean {
  return "key" in event && event.key === key;
}
