import type { RunEvent } from "../../engine/mod.ts";
import { callsOf } from "./call_view.ts";
import type { CallTree, CallView, RunStore } from "./ports.ts";

/** Calls in one tree at most; beyond it the deepest child runs are left out. */
const MAX_CALLS = 50_000;

/** A call with all that it caused, through child runs. Null: no such call in that run. */
export async function callTreeOf(
  params: {
    readonly orgId: string;
    readonly runId: string;
    readonly requestId: string;
    readonly store: RunStore;
    readonly read: (runId: string) => Promise<readonly RunEvent[]>;
  },
): Promise<CallTree | null> {
  const { orgId, store, read } = params;
  const byId = new Map<string, CallTree & { children: CallTree[] }>();
  const parents = new Map<string, string | null>();
  const queue = [params.runId];
  for (let runId = queue.shift(); runId !== undefined && byId.size < MAX_CALLS; runId = queue.shift()) {
    for (const call of callsOf(await read(runId))) {
      byId.set(call.requestId, treeNode(call, byId.get(call.requestId)));
      if (!parents.has(call.requestId) || call.nodeKey !== null) parents.set(call.requestId, call.parentRequestId);
    }
    for (const child of await store.children({ orgId, runId })) queue.push(child.id);
  }
  for (const [requestId, parent] of parents) {
    if (parent === null || parent === requestId || requestId === params.requestId) continue;
    byId.get(parent)?.children.push(byId.get(requestId)!);
  }
  return byId.get(params.requestId) ?? null;
}

/** A child run is one call with its parent's node: the node's view is kept, the run's own calls hang below it. */
function treeNode(call: CallView, known: CallTree | undefined): CallTree & { children: CallTree[] } {
  return { ...(known ?? call), children: [] };
}
