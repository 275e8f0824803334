import { unpinnedId } from "@alkdev/operations";
import type { FlowWait, FlowWaits } from "../runs/mod.ts";
import type { KnownRules } from "./flow_rules.ts";
import type { FlowStore, Hold, TicketView } from "./ports.ts";

/** Lines of one run that are told about at most. */
const MAX_LINES = 50;
/** Holders that are named at most. */
const MAX_NAMED = 3;

/** Tells what the calls of a run, or the run itself, wait for at the gate. */
export function createFlowWaits(store: Pick<FlowStore, "tickets" | "ticketsOf">, rules: KnownRules): FlowWaits {
  return async ({ orgId, runId, workflow }) => {
    const waiting = (await store.ticketsOf({ orgId, runId })).filter(({ state }) => state === "waiting");
    const byNode = new Map<string | null, FlowWait>();
    for (const ticket of waiting.slice(0, MAX_LINES)) {
      const holders = await store.tickets({ orgId, key: ticket.key, limit: MAX_NAMED + 1 });
      byNode.set(ticket.nodeKey, lineWait(ticket, holders.filter(({ state }) => state === "held")));
    }
    const stops = rules.hold(orgId, "workflow", workflow);
    return {
      run: stops === null ? byNode.get(null) ?? null : holdWait(stops),
      call: (nodeKey, operationId) => {
        const hold = stops ?? rules.hold(orgId, "operation", unpinnedId(operationId));
        return hold === null ? byNode.get(nodeKey) ?? null : holdWait(hold);
      },
    };
  };
}

function lineWait(ticket: TicketView, holders: readonly TicketView[]): FlowWait {
  const { key, position, concurrency, rate, notBefore, since } = ticket;
  const limits = [
    ...(concurrency === null ? [] : [`${concurrency} at once`]),
    ...(rate === null ? [] : [`${rate.limit} in ${rate.perMs} ms`]),
  ];
  const allowed = limits.length === 0 ? "" : `, which allows ${limits.join(" and ")}`;
  const named = holders.slice(0, MAX_NAMED).map(({ runId, nodeKey }) =>
    nodeKey === null ? `run ${runId}` : `"${nodeKey}" of run ${runId}`
  );
  const more = holders.length > MAX_NAMED ? " and others" : "";
  const by = named.length === 0 ? "" : `; held by ${named.join(", ")}${more}`;
  return {
    waitsFor: "flow",
    message: `Waits for "${key}"${allowed}: number ${position} in line${by}`,
    since,
    until: notBefore,
  };
}

function holdWait({ id, kind, name, reason, createdBy, createdAt }: Hold): FlowWait {
  const why = reason === null ? "" : `: ${reason}`;
  return {
    waitsFor: "hold",
    message: `${kind[0]!.toUpperCase()}${kind.slice(1)} "${name}" is held by ${createdBy} (hold ${id})${why}`,
    since: createdAt,
    until: null,
  };
}
