import type { SubjectStats } from "../history/subject_stats.ts";
import { drawShare } from "./beta.ts";
import type { PlanModel } from "./plan_model.ts";

/**
 * The probability that a run fails, once for each draw of what its operations' true failure rates may be. Worked out from the last
 * node to the first, so that a plan of any size takes one pass a draw. Null: some operation was never seen.
 */
export function drawRisk(model: PlanModel, random: () => number): number {
  const { plan, children, caught } = model;
  const risk = new Array<number>(plan.nodes.length).fill(0);
  const rates = new Map<SubjectStats, number>();
  const rateOf = (stats: SubjectStats): number => {
    const known = rates.get(stats) ?? drawShare(stats.failed, stats.ok, random);
    rates.set(stats, known);
    return known;
  };
  const any = (of: readonly number[]): number => 1 - of.reduce((none, child) => none * (1 - risk[child]!), 1);
  for (let index = plan.nodes.length - 1; index >= 0; index--) {
    const node = plan.nodes[index]!;
    const inner = children[index]!;
    switch (node.kind) {
      case "operation":
      case "workflow":
      case "signal": {
        const stats = model.calls.get(index)?.stats;
        const attempts = node.kind === "signal" ? 1 : node.retry?.maxAttempts ?? 1;
        risk[index] = stats === undefined ? 0 : rateOf(stats) ** attempts;
        break;
      }
      case "race":
        risk[index] = inner.length === 0 ? 0 : inner.reduce((all, child) => all * risk[child]!, 1);
        break;
      case "conditional": {
        const shares = model.branches.get(index);
        const total = shares == null ? 0 : [...shares.values()].reduce((sum, count) => sum + count, 0);
        risk[index] = total === 0 ? any(inner) : inner.reduce(
          (sum, child) => sum + risk[child]! * (shares!.get(plan.nodes[child]!.branch ?? "") ?? 0) / total,
          0,
        );
        break;
      }
      case "map":
      case "loop": {
        const known = model.counts.get(index) ?? null;
        const count = typeof known === "number" ? known : known === null ? 1 : known(random);
        risk[index] = 1 - (1 - any(inner)) ** count;
        break;
      }
      default:
        risk[index] = any(inner);
    }
    if (caught.has(index)) risk[index] = 0;
  }
  return risk[0]!;
}
