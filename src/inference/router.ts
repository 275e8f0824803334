import type { Random } from "../../engine/mod.ts";
import type { Provider } from "./ports.ts";
import type { ModelPolicy } from "./policy.ts";
import type { Candidate, ProviderHealth } from "./provider_health.ts";

const DEFAULT_RETRIES = 2;
/** As many as the workflow's retries. */
const MAX_ATTEMPTS = 8;

/** The places a model is to be had, in no order. */
export function candidatesOf(providers: readonly Provider[], model: string): Candidate[] {
  return providers.flatMap((provider) =>
    provider.models.filter(({ id, alias }) => alias === model || id === model)
      .map((found): Candidate => ({ provider, model: found }))
  );
}

/** Where a request goes, attempt by attempt: by the policy's order, those known to be broken last, then round again. */
export function routeOf(
  params: {
    readonly orgId: string;
    readonly providers: readonly Provider[];
    readonly model: string;
    readonly policy: ModelPolicy;
    readonly health: ProviderHealth;
    readonly random: Random;
  },
): readonly Candidate[] {
  const { orgId, providers, model, policy, health, random } = params;
  const groups = [model, ...policy.fallbacks ?? []].map((name) =>
    ordered(candidatesOf(providers, name), policy, (candidate) => health.latencyMs(orgId, candidate), random)
  );
  const all = groups.flat();
  const open = all.filter((candidate) => health.isOpen(orgId, candidate));
  const order = [...open, ...all.filter((candidate) => !open.includes(candidate))];
  if (order.length === 0) return [];
  const attempts = Math.min(MAX_ATTEMPTS, Math.max(order.length, (policy.retries ?? DEFAULT_RETRIES) + 1));
  return Array.from({ length: attempts }, (_, at) => order[at % order.length]!);
}

function ordered(
  candidates: Candidate[],
  { route = "weight" }: ModelPolicy,
  latency: (candidate: Candidate) => number | null,
  random: Random,
): Candidate[] {
  if (candidates.length < 2) return candidates;
  // A key for each, sorted: with u^(1/w) the order is a draw without putting back, by weight.
  const rank = (candidate: Candidate): number => {
    switch (route) {
      case "latency":
        return latency(candidate) ?? 0; // those not known yet are tried first
      case "cost": {
        const { prices } = candidate.model;
        return prices === undefined ? Infinity : prices.inputMicrosPerMTok + prices.outputMicrosPerMTok;
      }
      case "weight":
        return -(random() ** (1 / (candidate.model.weight ?? 1)));
    }
  };
  return candidates.map((candidate) => ({ candidate, rank: rank(candidate) }))
    .sort((a, b) => a.rank - b.rank || 0)
    .map(({ candidate }) => candidate);
}
