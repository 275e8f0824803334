/** Events for the suites. Times and counts are arbitrary but fixed. @module */
import type { EventBody, NodeCounts, RunCreated, RunEvent } from "../../engine/events.ts";
import type { Json } from "@alkdev/flowgraph";

export const AT = 1_700_000_000_123;
export const COUNTS: NodeCounts = { total: 1, completed: 1, failed: 0, aborted: 0, skipped: 0 };

let serial = 0;

/** A version 7 UUID, later than all before it. */
export function uuid(): string {
  const tail = crypto.randomUUID().slice(18);
  const time = (AT + serial++).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${(serial & 0xfff).toString(16).padStart(3, "0")}${tail}`;
}

/** Builds one run's events with rising seqs. */
export class RunScript {
  readonly runId: string = uuid();
  readonly events: RunEvent[] = [];

  /** Appends a fact and gives this script back. */
  add(body: EventBody): this {
    const seq = this.events.length + 1;
    this.events.push({ runId: this.runId, seq, at: AT + seq, ...body });
    return this;
  }

  created(fields: Partial<Omit<RunCreated, "type">> = {}): this {
    return this.add({
      type: "run.created",
      workflow: "demo",
      version: "v1",
      planHash: "p1",
      input: { n: 1 },
      caller: { identity: { id: "u1", scopes: ["a", "b"] }, orgId: "default" },
      labels: {},
      priority: 0,
      parent: null,
      idempotencyKey: null,
      deadline: null,
      ...fields,
    });
  }

  requested(key: string, requestId: string, input: Json = { value: 1 }, attempt: number = 1): this {
    return this.add({ type: "call.requested", key, attempt, requestId, operationId: "core.echo", input });
  }

  responded(key: string, requestId: string, data: Json = { value: 1 }, attempt: number = 1): this {
    const meta = { source: "local", operationId: "core.echo", timestamp: AT } as const;
    return this.add({ type: "call.responded", key, attempt, requestId, output: { data, meta } });
  }

  failed(key: string, requestId: string, retryAt: number | null = null, attempt: number = 1): this {
    const error = { code: "BROKEN", message: "Broke", details: { why: "because" } };
    return this.add({ type: "call.error", key, attempt, requestId, error, retryAt });
  }

  call(key: string, input: Json = { value: 1 }): this {
    const requestId = crypto.randomUUID();
    return this.requested(key, requestId, input).responded(key, requestId);
  }

  completed(output: Json = { done: true }): this {
    return this.add({ type: "run.completed", output, counts: COUNTS });
  }
}

/** A run of `steps` calls, from start to end. */
export function wholeRun(steps: number = 3, fields: Partial<Omit<RunCreated, "type">> = {}): RunScript {
  const run = new RunScript().created(fields);
  for (let i = 0; i < steps; i++) run.call(`s${i}`);
  return run.completed();
}
