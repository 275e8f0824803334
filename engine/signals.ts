/** Answers to Signals, from outside: to one that waits, or kept for one that will. */
import type { Json, SignalNode } from "@alkdev/flowgraph";
import type { ActiveRun } from "./active_run.ts";
import { answers, isKnown, keptFor, MAX_EARLY, MAX_EARLY_LENGTH, openFor } from "./state/early_signals.ts";
import { Status } from "./state/frame.ts";
import { keyOf, leaves } from "./state/keys.ts";

export interface Answer {
  /** Of the signal, or the key of its node. */
  readonly name: string;
  readonly payload: Json;
  readonly by: string;
  /** Throws when the answer will not do for this Signal. */
  readonly check?: (node: SignalNode) => void;
}

/** `kept`: for when the run waits for it. `full`: it keeps too many already. */
export type AnswerOutcome = "answered" | "kept" | "unknown" | "already" | "full";

/** Answers a waiting Signal, or keeps the answer for the next that may wait for it (I1). */
export function answerSignal(run: ActiveRun, { name, payload, by, check }: Answer): AnswerOutcome {
  const { state } = run;
  for (const place of leaves(state)) {
    const node = run.node(place);
    if (node.kind !== "signal") continue;
    const key = keyOf(state, place.frame, place.vertex);
    if (!answers(name, node, key)) continue;
    // Waiting without a cell is waiting for a slot: nothing has been asked yet.
    if (place.frame.status[place.vertex] === Status.WAITING && place.frame.cells[place.vertex] !== undefined) {
      check?.(node);
      run.waits.disarm(key);
      run.emit({ type: "signal.received", key, name: node.signal, payload, by }, place);
      return "answered";
    }
  }
  return keepAnswer(run, { name, payload, by, ...(check !== undefined && { check }) });
}

function keepAnswer(run: ActiveRun, { name, payload, by, check }: Answer): AnswerOutcome {
  const { state } = run;
  const { count, nodes } = openFor(state, name);
  if (count === 0) return isKnown(state, name) ? "already" : "unknown";
  for (const node of nodes) check?.(node);
  if (keptFor(state, name, nodes) >= count) return "already";
  const kept = state.early ?? [];
  const length = (value: Json) => JSON.stringify(value).length;
  const before = kept.reduce((sum, one) => sum + length(one.payload), 0);
  if (kept.length >= MAX_EARLY || before + length(payload) > MAX_EARLY_LENGTH) return "full";
  run.emit({ type: "signal.buffered", name, payload, by });
  return "kept";
}
