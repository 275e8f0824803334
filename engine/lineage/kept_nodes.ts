import { diffPlans, type PlanDiff } from "@alkdev/flowgraph";
import { type Block, type Program, VertexKind } from "../program.ts";

/**
 * Plan keys whose results under `from` are good under `to` as well: the node is the same, and so is everything before it. What
 * is new or changed in `to`, all inside it and all that comes after it is not; a Loop with any of it is not at all, since its
 * later turns come after the earlier ones.
 */
export function keptNodes(
  from: Program,
  to: Program,
  options: { readonly sameFunctions: boolean },
): ReadonlySet<string> {
  const diff = diffPlans(from.plan, to.plan, options);
  const stale = staleNodes(to, diff);
  const kept = new Set<string>();
  for (const [index, { key }] of to.plan.nodes.entries()) {
    if (from.indexOf.has(key) && !stale.has(index)) kept.add(key);
  }
  return kept;
}

/** Plan indices in `program` that are added, changed or follow such. */
function staleNodes(program: Program, diff: PlanDiff): ReadonlySet<number> {
  const { plan, entry, exit, blockOf, bodies } = program;
  const marks = new Map<Block, Set<number>>();
  const work: [Block, number][] = [];
  const mark = (block: Block, vertex: number): void => {
    let seen = marks.get(block);
    if (seen === undefined) marks.set(block, seen = new Set());
    if (seen.has(vertex)) return;
    seen.add(vertex);
    work.push([block, vertex]);
  };
  const markBody = (owner: number): void => {
    const body = bodies.get(owner)!;
    for (let vertex = 0; vertex < body.kinds.length; vertex++) mark(body, vertex);
  };
  const changed = diff.changed.filter(({ affectsResult }) => affectsResult);
  for (const { key } of [...diff.added, ...changed]) {
    const index = program.indexOf.get(key)!;
    if (!isStepless(plan.nodes[index]!.kind)) mark(blockOf[index]!, entry[index]!);
  }
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const [block, vertex] = at;
    const kind = block.kinds[vertex]!;
    if (kind === VertexKind.EXPAND || kind === VertexKind.LOOP) markBody(block.nodes[vertex]!);
    for (const next of block.successors[vertex]!) mark(block, next);
    if (vertex === exit[block.root] && block.outer !== null) {
      if (plan.nodes[block.owner]!.kind === "loop") markBody(block.owner);
      mark(block.outer, exit[block.owner]!);
    }
  }
  const stale = new Set<number>();
  for (const [block, seen] of marks) for (const vertex of seen) stale.add(block.nodes[vertex]!);
  return stale;
}

/** A container without a decision of its own: that it is new around a node changes nothing of the node's result. */
function isStepless(kind: string): boolean {
  return kind === "sequential" || kind === "parallel";
}
