import type { Json } from "@alkdev/flowgraph";
import type { RunEvent } from "../events.ts";

/** The plan that a run's log is folded under, and where its functions come from. */
export interface PlanPin {
  readonly runId: string;
  readonly workflow: string;
  readonly version: string;
  readonly planHash: string;
  readonly input: Json;
}

/** What a log is pinned to: by its start, or by its newest migration. Null: it has no `run.created`. */
export function planPin(events: readonly RunEvent[]): PlanPin | null {
  const created = events[0];
  if (created?.type !== "run.created") return null;
  const { runId, workflow, version, planHash, input } = created;
  for (let i = events.length - 1; i > 0; i--) {
    const event = events[i]!;
    if (event.type === "run.migrated") {
      return { runId, workflow, version: event.version, planHash: event.planHash, input };
    }
  }
  return { runId, workflow, version, planHash, input };
}
