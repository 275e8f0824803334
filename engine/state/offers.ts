/** Results of another run that a rerun or fork uses for its own nodes. Part of the fold. */
import { isLeaf } from "../program.ts";
import type { EventOf } from "../events.ts";
import type { Cell, Frame } from "./frame.ts";
import { keyOf } from "./keys.ts";
import type { RunState } from "./run_state.ts";

/** The result on offer for a place, which is thereby used up; null: none. */
export function takeOffer(state: RunState, frame: Frame, vertex: number): EventOf<"node.reused"> | null {
  const { offers, program } = state;
  if (offers === null || !isLeaf(program.plan.nodes[frame.block.nodes[vertex]!]!)) return null;
  const key = keyOf(state, frame, vertex);
  const offer = offers.get(key);
  if (offer === undefined) return null;
  offers.delete(key);
  if (offers.size === 0) state.offers = null;
  return offer;
}

/** Writes a reused result down as the node's own, with the times at which it was made. */
export function fillReused(cell: Cell, event: EventOf<"node.reused">): void {
  cell.attempt = event.attempt;
  cell.requestId = event.source.requestId;
  cell.input = event.input;
  cell.data = event.data;
  cell.startedAt = event.startedAt;
  cell.completedAt = event.completedAt ?? event.at;
  cell.endedSeq = event.seq;
  cell.reusedFrom = event.source;
}
