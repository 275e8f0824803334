/**
 * What of a run's work is no longer good when some of its places are to run again: those places, all inside them, and all that
 * comes after: in their frame, in the frames around it, and in later turns of a Loop. Reads the state, changes nothing.
 */
import { childrenOf, isLeaf, VertexKind } from "../program.ts";
import { type Frame, type Place, Status } from "../state/frame.ts";
import { leaves } from "../state/keys.ts";
import type { RunState } from "../state/run_state.ts";

export class InvalidPlaces {
  readonly #state: RunState;
  readonly #marks: Map<Frame, Set<number>> = new Map();
  readonly #work: Place[] = [];

  constructor(state: RunState) {
    this.#state = state;
  }

  has(frame: Frame, vertex: number): boolean {
    return this.#marks.get(frame)?.has(vertex) ?? false;
  }

  /** Marks every leaf that has not completed, and what comes after. Skipped ones stay: the decision before them still holds. */
  addUnfinished(): void {
    for (const { frame, vertex } of leaves(this.#state)) {
      const status = frame.status[vertex]!;
      if (status !== Status.COMPLETED && status !== Status.SKIPPED) this.#mark(frame, vertex);
    }
    this.#spread();
  }

  /** Marks a plan node in one of its frames. Inside a branch that lost a Race, the Race as a whole: else it would lose again. */
  addNode(frame: Frame, index: number): void {
    this.#markNode(frame, index);
    this.#addLostRace(frame, index);
    this.#spread();
  }

  /** Marks all of one Map item or Loop turn. */
  addFrame(frame: Frame): void {
    this.#markAll(frame);
    this.#addLostRace(frame, frame.block.root);
    this.#spread();
  }

  #markNode(frame: Frame, index: number): void {
    const { entry, exit } = this.#state.program;
    for (let vertex = entry[index]!; vertex <= exit[index]!; vertex++) this.#mark(frame, vertex);
  }

  #addLostRace(frame: Frame, index: number): void {
    for (const { home, race } of this.#lostRaces(frame, index)) this.#markNode(home, race);
  }

  /** Whether a node is in a branch that lost a Race whose outcome still stands: in a run made of this one it is not wanted. */
  hasLost(frame: Frame, index: number): boolean {
    const { exit } = this.#state.program;
    for (const { home, race } of this.#lostRaces(frame, index)) {
      if (home.status[exit[race]!] === Status.COMPLETED && !this.has(home, exit[race]!)) return true;
    }
    return false;
  }

  /** The Races around a node in branches of which it is that did not win. */
  *#lostRaces(frame: Frame, index: number): Generator<{ readonly home: Frame; readonly race: number }> {
    const { plan, exit, blockOf } = this.#state.program;
    let home = frame;
    for (let at = index; plan.nodes[at]!.parent >= 0; at = plan.nodes[at]!.parent) {
      const { parent } = plan.nodes[at]!;
      if (blockOf[parent] !== home.block) home = home.outer!;
      else if (plan.nodes[parent]!.kind === "race" && this.#winner(home, parent) !== exit[at]) {
        yield { home, race: parent };
      }
    }
  }

  #spread(): void {
    const { program } = this.#state;
    for (let at = this.#work.pop(); at !== undefined; at = this.#work.pop()) {
      const { frame, vertex } = at;
      const { block } = frame;
      const kind = block.kinds[vertex]!;
      if (kind === VertexKind.EXPAND || kind === VertexKind.LOOP) {
        for (const inner of frame.expansions?.get(vertex)?.frames ?? []) this.#markAll(inner);
      }
      for (const next of block.successors[vertex]!) {
        if (block.kinds[next] === VertexKind.RACE_EXIT && this.#stillWon(frame, next, vertex)) continue;
        this.#mark(frame, next);
      }
      if (vertex === program.exit[block.root] && frame.outer !== null) this.#leave(frame, frame.outer);
    }
  }

  #leave(frame: Frame, outer: Frame): void {
    const { plan, entry, exit } = this.#state.program;
    const { owner } = frame.block;
    this.#mark(outer, exit[owner]!);
    if (plan.nodes[owner]!.kind !== "loop") return;
    for (const turn of outer.expansions?.get(entry[owner]!)?.frames ?? []) {
      if (turn.index > frame.index) this.#markAll(turn);
    }
  }

  /** A Race keeps its outcome when a branch changes that did not win it. */
  #stillWon(frame: Frame, raceExit: number, branchExit: number): boolean {
    if (frame.status[raceExit] !== Status.COMPLETED) return false;
    const winner = this.#winner(frame, frame.block.nodes[raceExit]!);
    return winner !== null && winner !== branchExit;
  }

  /** The exit of the branch that won a Race; null: none has. */
  #winner(frame: Frame, race: number): number | null {
    const { plan, exit } = this.#state.program;
    for (const child of childrenOf(plan, race)) {
      if (frame.status[exit[child]!] === Status.COMPLETED) return exit[child]!;
    }
    return null;
  }

  #markAll(frame: Frame): void {
    for (let vertex = 0; vertex < frame.status.length; vertex++) this.#mark(frame, vertex);
  }

  #mark(frame: Frame, vertex: number): void {
    let marks = this.#marks.get(frame);
    if (marks === undefined) this.#marks.set(frame, marks = new Set());
    if (marks.has(vertex)) return;
    marks.add(vertex);
    this.#work.push({ frame, vertex });
  }
}

/** The leaves whose results are still good, in plan order: not those that a Race did not want, which come as time has it. */
export function* validLeaves(state: RunState, invalid: InvalidPlaces): Generator<Place> {
  const { nodes } = state.program.plan;
  const hasRaces = nodes.some(({ kind }) => kind === "race");
  for (const place of leaves(state)) {
    const { frame, vertex } = place;
    const index = frame.block.nodes[vertex]!;
    if (!isLeaf(nodes[index]!) || frame.status[vertex] !== Status.COMPLETED || invalid.has(frame, vertex)) continue;
    if (!hasRaces || !invalid.hasLost(frame, index)) yield place;
  }
}
