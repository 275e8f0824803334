/** The semaphores of Parallels with `maxConcurrency`: which of their children may begin. Part of the fold, and as pure. */
import type { Program } from "../program.ts";
import { type Frame, isTerminal, type Place, Status } from "./frame.ts";

/** Gives the entry vertex of a limited child a slot. False: it waits for one in line. */
export function takeSlot(program: Program, frame: Frame, vertex: number): boolean {
  const enter = frame.block.slotOf[vertex]!;
  const groups = frame.groups ??= new Map();
  let group = groups.get(enter);
  if (group === undefined) groups.set(enter, group = { active: 0, queue: [], head: 0, held: new Set() });
  if (group.active >= limitOf(program, frame, enter) || !maySlot(frame, vertex)) {
    frame.status[vertex] = Status.WAITING;
    group.queue.push(vertex);
    return false;
  }
  group.active++;
  group.held.add(vertex);
  return true;
}

/** A limited child has ended: `begin` is called for each that its slot, if it had one, now goes to. */
export function releaseSlot(program: Program, frame: Frame, entry: number, begin: (vertex: number) => void): void {
  const enter = frame.block.slotOf[entry]!;
  const group = frame.groups?.get(enter);
  if (group === undefined) return;
  if (group.held.delete(entry)) group.active--;
  const max = limitOf(program, frame, enter);
  for (let at = group.head; at < group.queue.length && group.active < max;) {
    const next = group.queue[at]!;
    const waits = frame.status[next] === Status.WAITING;
    if (waits && !maySlot(frame, next)) {
      at++;
      continue;
    }
    if (at === group.head) at = ++group.head;
    else group.queue.splice(at, 1);
    if (!waits) continue;
    group.active++;
    group.held.add(next);
    begin(next);
  }
}

/** Whether a place is in line for a slot: it becomes ready when it is given one, and may not start before. */
export function awaitsSlot({ frame, vertex }: Place): boolean {
  return frame.status[vertex] === Status.WAITING && frame.cells[vertex] === undefined;
}

function limitOf(program: Program, frame: Frame, enter: number): number {
  const node = program.plan.nodes[frame.block.nodes[enter]!]!;
  return node.kind === "parallel" ? node.maxConcurrency ?? Infinity : Infinity;
}

/** False while a sibling that it waits for inside has not ended: see `Block.slotAfter`. */
function maySlot(frame: Frame, vertex: number): boolean {
  const siblings = frame.block.slotAfter.get(vertex);
  return siblings === undefined || siblings.every((exit) => isTerminal(frame.status[exit]!));
}
