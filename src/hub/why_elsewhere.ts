import type { Engine } from "../../engine/mod.ts";
import type { Runs, WhyEntry } from "../runs/mod.ts";
import type { Peers } from "./peers.ts";

const METHOD = "run.why";
/** A person waits: after it, what this hub knows by itself has to do. */
const TIMEOUT_MS = 1_500;

interface Params {
  readonly orgId: string;
  readonly runId: string;
}

/** What the hub that drives a run says of its nodes; null: it cannot be asked, or does not drive it any more. */
export async function askWhy(
  { bus }: Pick<Peers, "bus">,
  { hubId, orgId, runId }: Params & { readonly hubId: string },
): Promise<readonly WhyEntry[] | null> {
  try {
    const answer = await bus.request({ hubId, method: METHOD, params: { orgId, runId }, timeoutMs: TIMEOUT_MS });
    return answer as readonly WhyEntry[] | null; // as `serveWhy` of that hub gave it
  } catch {
    return null;
  }
}

/** Answers for the runs that this hub drives, and for no other: so no two hubs ever ask each other in a ring. */
export function serveWhy(
  { bus }: Pick<Peers, "bus">,
  { engine, runs }: { readonly engine: Engine; readonly runs: Pick<Runs, "why"> },
): void {
  bus.serve(METHOD, async (params) => {
    const { orgId, runId } = params as Params;
    if (engine.live(runId) === null) return null;
    return await runs.why({ caller: { identity: { id: "hub", scopes: [] }, orgId }, runId });
  });
}
