import type { Clock, Engine } from "../../engine/mod.ts";
import { holdersOf } from "../budgets/mod.ts";
import { callerOf } from "../dispatch/mod.ts";
import {
  cachedPolicies,
  chatOperations,
  Guards,
  Inference,
  inferenceOperations,
  limitingBudgets,
  ProviderHealth,
  ResponseCache,
  Spending,
  StoredResponses,
  Upstream,
} from "../inference/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Runs } from "../runs/mod.ts";
import { inferenceRoutes, type Route } from "../server/mod.ts";
import { createPolicyStore, createResponseOwners, type Database, sweepInference } from "../storage/mod.ts";
import { createIds } from "../system/ids.ts";
import type { Budgets } from "./budgets.ts";
import type { HubOperations } from "./operations.ts";
import type { Startup } from "./startup.ts";

const SWEEP_EVERY_MS = 10 * 60_000;
const WORKFLOW = "proxy_call";

/** What the proxy is built from. */
export interface InferenceParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly operations: HubOperations;
  readonly budgets: Budgets;
  /** What is built after it: asked for with the first call. */
  readonly late: {
    readonly runs: () => Runs;
    readonly engine: () => Engine | null;
    /** The run of the turn that a runner is at in a session; null: none is. */
    readonly turnRun: (session: { readonly orgId: string; readonly sessionId: string }) => Promise<string | null>;
  };
}

/** The proxy for calls of language models, with its operations and routes. */
export function openInference(
  startup: Startup,
  parts: InferenceParts,
): { readonly inference: Inference; readonly routes: readonly Route[] } {
  const { db, clock, operations, budgets, late } = parts;
  const { egress, clients: { providers }, dispatcher, registry } = operations;
  const trouble = hubLogger("inference");
  const health = new ProviderHealth(clock);
  const owners = createResponseOwners(db);
  const policies = cachedPolicies(createPolicyStore(db), clock.now);
  const spending = new Spending({
    ledger: budgets.ledger,
    clock,
    limiting: limitingBudgets(budgets.ledger, clock.now),
    async runHolders(caller, runId) {
      const [created] = await late.runs().events({ caller, runId, limit: 1 });
      return created?.type === "run.created" ? holdersOf(created) : [];
    },
  });
  const inference = new Inference({
    runs: {
      async start({ caller, input, labels, traceparent, parent }) {
        const { id } = await late.runs().start({
          workflow: WORKFLOW,
          caller,
          input,
          labels,
          durability: "after",
          ...(traceparent !== undefined && { traceparent }),
          // What it may use is set aside by the call itself, in all budgets of the run that asks.
          ...(parent !== undefined && { parent, isPaidApart: true }),
        });
        return id;
      },
      async ended(runId) {
        const end = await late.engine()?.done(runId);
        return end?.type === "run.failed" ? end.error : null;
      },
    },
    providers,
    policies,
    health,
    spending,
    clock,
    random: Math.random,
    log: trouble,
  });
  const { requestId } = createIds();
  registry.registerAll([
    ...inferenceOperations({
      inference,
      upstream: new Upstream({ egress, clock, health }),
      guards: new Guards({ call: (params) => dispatcher.operations.call(params) }),
      cache: new ResponseCache({ clock }),
      owners,
      requestId,
      callerOf,
    }),
    ...chatOperations({
      inference,
      callerOf,
      async placeOf(context, named) {
        const caller = callerOf(context);
        const { runId: own } = context.metadata ?? {};
        const runId = typeof own === "string" ? own : named.run ??
          (named.session === undefined ? null : await late.turnRun({ orgId: caller.orgId, sessionId: named.session }));
        if (runId === null) return null;
        const live = late.engine()?.live(runId)?.state.created ?? null;
        const created = live ?? (await late.runs().events({ caller, runId, limit: 1 }))[0];
        const above = created?.type === "run.created" ? created.parent : null;
        // A run is itself a call: what is made outside of its nodes stands below that.
        const requestId = typeof own === "string" ? context.requestId ?? runId : runId;
        return { runId, requestId, rootRunId: above?.rootRunId ?? runId };
      },
    }),
  ]);
  const stored = new StoredResponses({ owners, providers, health, egress });
  const sweep = (): void =>
    void sweepInference(db).catch((error: unknown) =>
      trouble.warn("Minutes that are over were not swept: {error}", { error: String(error) })
    );
  const timer = setInterval(sweep, SWEEP_EVERY_MS);
  startup.onStop(() => clearInterval(timer));
  return {
    inference,
    routes: inferenceRoutes({
      call: (request) => inference.call(request),
      models: ({ orgId, identity }) => inference.models(orgId, identity.scopes),
      stored: (request) => stored.pass(request),
      policy: (orgId) => inference.policy(orgId),
      setPolicy: (orgId, policy) => policies.put(orgId, policy),
    }),
  };
}
