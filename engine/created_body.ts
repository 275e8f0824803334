import type { Json } from "@alkdev/flowgraph";
import type { NewRun } from "./engine_options.ts";
import type { RunCreated } from "./events.ts";

/** The first event of a run, with what it says for what was not given. */
export function createdBody(params: NewRun, input: Json): RunCreated {
  return {
    type: "run.created",
    workflow: params.workflow,
    version: params.version,
    planHash: params.planHash,
    input,
    caller: params.caller,
    labels: params.labels ?? {},
    priority: params.priority ?? 0,
    parent: params.parent ?? null,
    idempotencyKey: params.idempotencyKey ?? null,
    deadline: params.deadline ?? null,
    ...(params.budget && { budget: params.budget }),
    ...(params.lineage !== undefined && { lineage: params.lineage }),
    ...(params.gate !== undefined && { gate: params.gate }),
    ...(params.traceparent !== undefined && { traceparent: params.traceparent }),
  };
}
