import { CallError } from "@alkdev/operations";
import { PeerUnreachableError } from "../peers/mod.ts";
import type { SpokesPort, SpokeView as EdgeSpoke } from "../server/mod.ts";
import type { RunnerPool, SpokeView } from "../spokes/mod.ts";
import type { Peers } from "./peers.ts";

const DRAIN = "spoke.drain";
const DRAIN_TIMEOUT_MS = 5_000;

/** The spokes of all hubs as the HTTP edge sees them. Those of other hubs are as of their last change. */
export function spokesPort(pool: RunnerPool, peers: Peers | null): SpokesPort {
  const elsewhere = (orgId: string) => peers?.presence.spokes(orgId) ?? [];
  const drainHere = (orgId: string, id: string): SpokeView => {
    const found = pool.drain(orgId, id) ? pool.get(orgId, id) : null;
    if (found === null) throw new CallError("SPOKE_NOT_FOUND", `There is no spoke "${id}"`, { spokeId: id });
    return found;
  };
  peers?.bus.serve(DRAIN, (params) => {
    const { orgId, id } = params as { readonly orgId: string; readonly id: string };
    return new Promise((resolve) => resolve(drainHere(orgId, id)));
  });
  return {
    list: ({ orgId }) =>
      Promise.resolve([...pool.list(orgId), ...elsewhere(orgId).map(({ spoke }) => spoke)].map(toEdge)),
    get: ({ orgId }, id) => {
      const found = pool.get(orgId, id) ?? elsewhere(orgId).find(({ spoke }) => spoke.id === id)?.spoke ?? null;
      return Promise.resolve(found === null ? null : toEdge(found));
    },
    async drain({ orgId }, id) {
      const isHere = pool.get(orgId, id) !== null;
      const hubId = isHere ? undefined : elsewhere(orgId).find(({ spoke }) => spoke.id === id)?.hubId;
      if (peers === null || hubId === undefined) return toEdge(drainHere(orgId, id));
      return toEdge(await drainThere(peers, hubId, { orgId, id }));
    },
  };
}

async function drainThere(peers: Peers, hubId: string, params: object): Promise<SpokeView> {
  try {
    const answer = await peers.bus.request({ hubId, method: DRAIN, params, timeoutMs: DRAIN_TIMEOUT_MS });
    return answer as SpokeView; // as `drainHere` of that hub gave it
  } catch (error) {
    if (!(error instanceof PeerUnreachableError)) throw error;
    throw new CallError("NOT_READY", `The spoke is connected to another hub. ${error.message}`, { retryAfterMs: 1000 });
  }
}

function toEdge(spoke: SpokeView): EdgeSpoke {
  const { status, load: _, lastSeenAt, ...rest } = spoke;
  const isAway = status === "disconnected" || status === "gone";
  return {
    ...rest,
    status: isAway ? "disconnected" : status === "draining" ? "draining" : "connected",
    lastHeartbeat: lastSeenAt,
    disconnectedAt: isAway ? lastSeenAt : null,
  };
}
