import type { Clock } from "../../../engine/mod.ts";
import type { Plan } from "@alkdev/flowgraph";
import type { HistoryStore } from "../history/ports.ts";
import type { SubjectStats } from "../history/subject_stats.ts";
import { modelOf, type PlanModel, subjectsOf } from "./plan_model.ts";
import { play, type Played } from "./play.ts";
import type { Estimate, Estimator, Missing, OperationHistory, Range } from "./ports.ts";
import { drawRisk } from "./risk.ts";

/** Runs played at most, and at least where the plan is large. */
const MAX_PLAYS = 300;
const MIN_PLAYS = 20;
/** Nodes played in all, beyond the least number of plays. */
const MAX_WORK = 200_000;
/** Nodes played before others get their turn. */
const WORK_A_TURN = 20_000;
const MAX_DRAWS = 200;
/** Missing parts that are named. */
const MAX_MISSING = 100;

/** Estimates from history, by playing runs in the mind. */
export function createEstimator(
  ports: { readonly store: HistoryStore; readonly clock: Clock; readonly random: () => number },
): Estimator {
  const { store, clock, random } = ports;
  return {
    async estimate({ orgId, plan, input }) {
      const own = { orgId, kind: "workflow", name: plan.workflow } as const;
      const found = await store.read([...subjectsOf(orgId, plan), own]);
      const known = new Map(found.map(({ kind, name, stats }) => [kind + name, stats]));
      const model = modelOf({ orgId, plan, input, now: clock.now(), known });
      const plays: Played[] = [];
      let work = 0;
      let sinceTurn = 0;
      while (plays.length < MAX_PLAYS && (work < MAX_WORK || plays.length < MIN_PLAYS)) {
        const played = play(model, random);
        plays.push(played);
        work += played.work;
        if ((sinceTurn += played.work) < WORK_A_TURN) continue;
        sinceTurn = 0;
        await new Promise<void>((resolve) => clock.afterTurn(resolve));
      }
      const history = known.get(own.kind + own.name);
      return {
        ...summary(model, plays, random),
        workflow: history === undefined ? null : historyOf(own.name, history),
      };
    },
  };
}

function summary(model: PlanModel, plays: readonly Played[], random: () => number): Omit<Estimate, "workflow"> {
  const missing = new Map<string, Missing>();
  for (const played of plays) for (const [id, one] of played.missing) missing.set(id, one);
  const isKnown = (kinds: readonly Missing["what"][]) =>
    ![...missing.values()].some(({ what }) => kinds.includes(what));
  const ofPlays = (value: (played: Played) => number) => rangeOf(plays.map(value));
  const hasCalls = isKnown(["operation", "branch", "count"]);
  const usage = [...model.calls.values()].some((call) => call !== null && (call.stats.cost.total > 0));
  const operations = operationsOf(model);
  const draws = Math.max(10, Math.min(MAX_DRAWS, Math.floor(MAX_WORK / model.plan.nodes.length)));
  return {
    durationMs: isKnown(["operation", "branch", "count", "wait"]) ? ofPlays(({ durationMs }) => durationMs) : null,
    calls: isKnown(["branch", "count"]) ? ofPlays(({ calls }) => calls) : null,
    costMicros: hasCalls && usage ? ofPlays(({ cost }) => cost) : null,
    tokens: hasCalls && usage ? ofPlays(({ tokens }) => tokens) : null,
    failureRisk: hasCalls ? shareRange(Array.from({ length: draws }, () => drawRisk(model, random))) : null,
    samples: operations.length === 0 ? 0 : Math.min(...operations.map(({ attempts }) => attempts)),
    simulations: plays.length,
    missing: [...missing.values()].slice(0, MAX_MISSING),
    operations,
  };
}

function operationsOf({ plan, calls }: PlanModel): readonly OperationHistory[] {
  const found = new Map<string, OperationHistory>();
  for (const [index, model] of calls) {
    const id = operationOf(plan, index);
    if (id === null || found.has(id)) continue;
    const none = { operationId: id, attempts: 0, failureRate: null, durationMs: null, costMicros: null };
    found.set(id, model === null ? none : historyOf(id, model.stats));
  }
  return [...found.values()];
}

function operationOf(plan: Plan, index: number): string | null {
  const node = plan.nodes[index]!;
  return node.kind === "operation" ? node.operationId : node.kind === "workflow" ? `workflow.${node.workflow}` : null;
}

function historyOf(operationId: string, stats: SubjectStats): OperationHistory {
  const quantiles = (of: SubjectStats["duration"]): Range | null => {
    const [p10, p50, p90] = [of.quantile(0.1), of.quantile(0.5), of.quantile(0.9)];
    return p10 === null || p50 === null || p90 === null ? null : rounded({ p10, p50, p90 });
  };
  return {
    operationId,
    attempts: stats.total,
    failureRate: stats.total === 0 ? null : stats.failed / stats.total,
    durationMs: quantiles(stats.duration),
    costMicros: quantiles(stats.cost),
  };
}

function rangeOf(values: readonly number[]): Range {
  return rounded(shareRange(values));
}

function shareRange(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}

function rounded({ p10, p50, p90 }: Range): Range {
  return { p10: Math.round(p10), p50: Math.round(p50), p90: Math.round(p90) };
}
