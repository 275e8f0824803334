/** Results of another run that a rerun or fork uses for its own nodes. Part of the fold. */
import { isLeaf } from "../program.ts";
import type { EventOf } from "../events.ts";
import { type Frame, type Place, Status } from "./frame.ts";
import { keyOf, locate } from "./keys.ts";
import type { RunState } from "./run_state.ts";

/** Keeps a result for the node it is for; `use` is called when that is ready by now. */
export function keepOffer(state: RunState, event: EventOf<"node.reused">, use: (place: Place) => void): void {
  (state.offers ??= new Map()).set(event.key, event);
  const at = locate(state, event.key);
  if (at !== null && at.frame.status[at.vertex] === Status.READY) use(at);
}

/** Writes the result on offer for a place down as its own, with the times at which it was made. False: there is none. */
export function useOffer(state: RunState, frame: Frame, vertex: number): boolean {
  const { offers, program } = state;
  if (offers === null || !isLeaf(program.plan.nodes[frame.block.nodes[vertex]!]!)) return false;
  const key = keyOf(state, frame, vertex);
  const offer = offers.get(key);
  if (offer === undefined) return false;
  offers.delete(key);
  if (offers.size === 0) state.offers = null;
  const cell = frame.cell(vertex);
  cell.attempt = offer.attempt;
  cell.requestId = offer.source.requestId;
  cell.input = offer.input;
  cell.data = offer.data;
  cell.startedAt = offer.startedAt;
  cell.completedAt = offer.completedAt ?? offer.at;
  cell.endedSeq = offer.seq;
  cell.reusedFrom = offer.source;
  return true;
}
