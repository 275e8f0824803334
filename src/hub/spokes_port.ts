import { CallError } from "@alkdev/operations";
import type { SpokesPort, SpokeView as EdgeSpoke } from "../server/mod.ts";
import type { RunnerPool, SpokeView } from "../spokes/mod.ts";

/** The pool as the HTTP edge sees it. */
export function spokesPort(pool: RunnerPool): SpokesPort {
  return {
    list: ({ orgId }) => Promise.resolve(pool.list(orgId).map(toEdge)),
    get: ({ orgId }, id) => {
      const found = pool.get(orgId, id);
      return Promise.resolve(found === null ? null : toEdge(found));
    },
    drain: ({ orgId }, id) => {
      const found = pool.drain(orgId, id) ? pool.get(orgId, id) : null;
      if (found === null) {
        return Promise.reject(new CallError("SPOKE_NOT_FOUND", `There is no spoke "${id}"`, { spokeId: id }));
      }
      return Promise.resolve(toEdge(found));
    },
  };
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
