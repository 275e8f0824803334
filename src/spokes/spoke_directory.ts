import { CallError } from "@alkdev/operations";
import type { Caller } from "../../engine/events.ts";
import type { RunnerPool, SpokeView } from "./ports.ts";

/** A spoke as the API shows it. Times are ms since the epoch. */
export interface SpokeListing extends Omit<SpokeView, "status" | "lastSeenAt"> {
  readonly status: "connected" | "draining" | "disconnected";
  readonly lastHeartbeat: number | null;
  /** Null while it is here. */
  readonly disconnectedAt: number | null;
}

/** The spokes of a caller's organization. */
export interface SpokeDirectory {
  list(caller: Caller): Promise<readonly SpokeListing[]>;
  get(caller: Caller, id: string): Promise<SpokeListing | null>;
  /** @throws {CallError} `SPOKE_NOT_FOUND` */
  drain(caller: Caller, id: string): Promise<SpokeListing>;
}

export function createSpokeDirectory(pool: RunnerPool): SpokeDirectory {
  const get = (orgId: string, id: string): SpokeListing | null => {
    const view = pool.get(orgId, id);
    return view === null ? null : toListing(view);
  };
  return {
    list: ({ orgId }) => Promise.resolve(pool.list(orgId).map(toListing)),
    get: ({ orgId }, id) => Promise.resolve(get(orgId, id)),
    drain({ orgId }, id) {
      const before = get(orgId, id);
      if (before === null || !pool.drain(orgId, id)) {
        return Promise.reject(new CallError("SPOKE_NOT_FOUND", `Spoke "${id}" is not known`, { spokeId: id }));
      }
      // One that was away is gone at once.
      return Promise.resolve(get(orgId, id) ?? { ...before, status: "disconnected" });
    },
  };
}

function toListing({ status, lastSeenAt, ...view }: SpokeView): SpokeListing {
  const isHere = status === "connected" || status === "draining";
  return {
    ...view,
    status: isHere ? status : "disconnected",
    lastHeartbeat: lastSeenAt,
    disconnectedAt: isHere ? null : lastSeenAt,
  };
}
