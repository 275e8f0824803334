import type { Engine } from "../../engine/mod.ts";
import type { WaitingCall, Whereabouts } from "../runs/mod.ts";
import type { RunnerPool } from "../spokes/mod.ts";
import type { Peers } from "./peers.ts";

/** Calls that wait for room in the engine. */
export function queuedCalls(engine: () => Engine): Whereabouts {
  return ({ runId, key }) => {
    const call = engine().live(runId)?.calls.of(key);
    if (call === undefined || call.holdsSlot || call.ended) return null;
    const { inFlight, queued } = engine().stats();
    const message = `Waits for room: ${inFlight} calls are under way on this hub, ${queued} wait`;
    return { waitsFor: "slot", message, since: call.startedAt };
  };
}

/** Calls that spokes carry out, here or at another hub, or that wait for one. */
export function spokeCalls(pool: RunnerPool, peers: Peers | null): Whereabouts {
  return (call) => {
    if (call.requestId === null) return null;
    const { operationId } = call;
    const place = pool.place(call.requestId);
    if (place?.state === "running") {
      return { waitsFor: "call", message: `"${operationId}" is under way on spoke "${place.spokeName}"` };
    }
    if (place?.state === "reconnecting") {
      return {
        waitsFor: "spoke",
        message: `Spoke "${place.spokeName}", which has "${operationId}", is disconnected and may come back`,
      };
    }
    if (place?.state === "queued") return { waitsFor: "spoke", message: queuedMessage(pool, call) };
    const elsewhere = peers?.operations.place(call.requestId);
    if (elsewhere === undefined) return null;
    const { hubId, since } = elsewhere;
    return hubId === null
      ? { waitsFor: "spoke", message: `Waits for a spoke of any hub that offers ${wanted(call)}`, since }
      : { waitsFor: "hub", message: `"${operationId}" is under way on a spoke of hub "${hubId}"`, since };
  };
}

function queuedMessage(pool: RunnerPool, call: WaitingCall): string {
  const offer = pool.offers(call.orgId, call.operationId, call.labels);
  if (offer === "here") return `Waits for a free slot on a spoke that offers ${wanted(call)}`;
  if (offer === "away") return `Waits for a spoke that offers ${wanted(call)}: all that do are disconnected`;
  return `Waits for a spoke that offers ${wanted(call)}: none is connected`;
}

function wanted({ operationId, labels }: WaitingCall): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return `"${operationId}"${pairs.length === 0 ? "" : ` with ${pairs.join(", ")}`}`;
}
