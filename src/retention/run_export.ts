import type { Plan } from "@alkdev/flowgraph";
import type { RunEvent, RunRecord } from "../runs/mod.ts";

/** Version of the form below. */
export const EXPORT_FORMAT = 1;

/** A run as it is kept outside of a hub: all that is needed to show it and to make it again. */
export interface RunExport {
  readonly format: typeof EXPORT_FORMAT;
  /** The list's row when it was exported. */
  readonly run: RunRecord;
  /** The one that it started with. */
  readonly plan: Plan;
  /** Plans by hash that later events of the run name; absent: none do. */
  readonly plans?: Readonly<Record<string, Plan>>;
  /** All of them, in order. */
  readonly events: readonly RunEvent[];
  /** Child runs; absent: not asked for. */
  readonly children?: readonly RunExport[];
}
