import { CallError } from "@alkdev/operations";
import type { Plan } from "@alkdev/flowgraph";
import type { EventLog, PlanStore } from "../../engine/mod.ts";
import type { RunEvent, RunRecord, RunStore } from "../runs/mod.ts";
import { EXPORT_FORMAT, type RunExport } from "./run_export.ts";

/** What an export is read from. */
export interface ExportPorts {
  readonly log: Pick<EventLog, "read">;
  readonly plans: Pick<PlanStore, "get">;
  readonly store: Pick<RunStore, "get" | "children">;
}

/** Events of a whole tree, which is made in memory. */
const MAX_EVENTS = 1_000_000;
const PAGE = 10_000;

/** @throws CallError RUN_NOT_FOUND, PAYLOAD_TOO_LARGE for a tree of too many events */
export async function exportRun(
  ports: ExportPorts,
  params: { readonly orgId: string; readonly runId: string; readonly tree: boolean },
): Promise<RunExport> {
  const { orgId, runId, tree } = params;
  const run = await ports.store.get({ orgId, runId });
  if (run === null) throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
  return await exportRecord(ports, run, tree, { events: 0 });
}

// Runs are nested 32 deep at most: recursion is safe.
async function exportRecord(
  ports: ExportPorts,
  run: RunRecord,
  tree: boolean,
  total: { events: number },
): Promise<RunExport> {
  const events = await readAll(ports.log, run.id);
  total.events += events.length;
  if (total.events > MAX_EVENTS) {
    throw new CallError("PAYLOAD_TOO_LARGE", `The runs have more than ${MAX_EVENTS} events: export them one by one`, {
      limit: MAX_EVENTS,
    });
  }
  const created = events[0];
  if (created?.type !== "run.created") throw new Error(`Cannot export run "${run.id}": it has no log`);
  const plans = await laterPlans(ports.plans, created.planHash, events);
  const exported = {
    format: EXPORT_FORMAT,
    run,
    plan: await planOf(ports.plans, created.planHash),
    ...(plans !== null && { plans }),
    events,
  } as const;
  if (!tree) return exported;
  const children: RunExport[] = [];
  for (const child of await ports.store.children({ orgId: run.orgId, runId: run.id })) {
    children.push(await exportRecord(ports, child, true, total));
  }
  return { ...exported, children };
}

async function readAll(log: Pick<EventLog, "read">, runId: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const page = await log.read({ runId, after: events.length, limit: PAGE });
    for (const event of page) events.push(event);
    if (page.length < PAGE) return events;
  }
}

/** Plans that events after the first name: a run may be moved to another version. */
async function laterPlans(
  plans: Pick<PlanStore, "get">,
  first: string,
  events: readonly RunEvent[],
): Promise<Readonly<Record<string, Plan>> | null> {
  const hashes = new Set<string>();
  for (const event of events) if ("planHash" in event && event.planHash !== first) hashes.add(event.planHash);
  if (hashes.size === 0) return null;
  return Object.fromEntries(await Promise.all([...hashes].map(async (hash) => [hash, await planOf(plans, hash)])));
}

async function planOf(plans: Pick<PlanStore, "get">, hash: string): Promise<Plan> {
  const plan = await plans.get(hash);
  if (plan === null) throw new Error(`Cannot export a run: its plan "${hash}" is not stored`);
  return plan;
}
