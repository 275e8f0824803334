import {
  type Clock,
  type Dispatcher,
  Engine,
  type EventLog,
  type FunctionSource,
  type PlanStore,
} from "../../engine/mod.ts";
import type { HubConfig } from "../config/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import {
  AbortCascade,
  createRuns,
  FlowCheck,
  FoldReader,
  type RunFeed,
  type Runs,
  withChildRuns,
} from "../runs/mod.ts";
import type { Route } from "../server/mod.ts";
import {
  createDeadLetterStore,
  createEventLog,
  createOrphanRuns,
  createPlanStore,
  createRunStore,
  createWorkflowStore,
  findRunDriver,
} from "../storage/mod.ts";
import { createIds } from "../system/ids.ts";
import { createTemplates, type Templates } from "../templates/mod.ts";
import type { Budgets } from "./budgets.ts";
import { dealtWith, openControl } from "./control.ts";
import type { HubFlow } from "./flow.ts";
import type { Foundation } from "./foundation.ts";
import { DEFAULT_ORG } from "./keys.ts";
import { LeaseKeeper } from "./lease_keeper.ts";
import type { HubOperations } from "./operations.ts";
import type { Peers } from "./peers.ts";
import type { HubSessions } from "./sessions.ts";
import type { Sight } from "./sight.ts";
import type { Startup } from "./startup.ts";
import { logImpact, versionsOf } from "./versions.ts";
import { queuedCalls, spokeCalls } from "./whereabouts.ts";
import { askWhy, serveWhy } from "./why_elsewhere.ts";

const RENEW_EVERY_MS = 1_500;
const CLAIM_EVERY_MS = 2_000;
/** How often runs are looked for that an abort has not reached. */
const SWEEP_EVERY_MS = 30_000;
const DEFAULT_GRACE_MS = 10_000;
/** Shorter where another hub takes the runs up: calls on spokes are found again, others run again. */
const HANDOVER_GRACE_MS = 2_000;

interface Parts {
  readonly config: HubConfig;
  readonly foundation: Foundation;
  readonly operations: HubOperations;
  readonly sight: Sight;
  readonly budgets: Budgets;
  readonly flow: HubFlow;
  readonly sessions: Pick<HubSessions, "committed">;
  readonly clock: Clock;
  readonly feed: RunFeed;
  readonly onFenced: (error: unknown) => void;
  /** How long calls under way may take at a stop; absent: by who else is there. */
  readonly graceMs: number | undefined;
}

/** What drives runs. */
export interface Driving {
  readonly templates: Templates;
  readonly engine: Engine;
  readonly runs: Runs;
  readonly log: EventLog;
  readonly plans: PlanStore;
  /** Routes about many runs at once. */
  readonly control: readonly Route[];
  /** Aborts what is below aborted runs. */
  readonly cascade: AbortCascade;
  /** Carries calls out, those of workflows as child runs; without budgets. */
  readonly calls: Dispatcher;
}

/** The templates, watched. */
export async function openTemplates(startup: Startup, { config, foundation, operations }: Parts): Promise<Templates> {
  startup.step("templates");
  const log = hubLogger("templates");
  const templates: Templates = createTemplates({
    directories: [new URL("../../workflows", import.meta.url).pathname, ...config.workflows],
    store: createWorkflowStore(foundation.db),
    operations: operations.dispatcher,
    watch: true,
    log: (level, message, data) => log[level](message, { ...data }),
    onServed: (deployed, previous) => {
      if (previous !== null) void logImpact(versionsOf(foundation.db, templates), deployed, previous);
    },
  });
  await templates.load();
  startup.onStop(() => templates.close());
  return templates;
}

/** Builds templates, engine and use cases; nothing is driven yet. */
export async function openDriving(startup: Startup, parts: Parts): Promise<Driving> {
  const { config, foundation, operations, sight, budgets, clock, feed, onFenced } = parts;
  const { db, hubId, lease, guard } = foundation;
  const { dispatcher, peers } = operations;
  const templates = await openTemplates(startup, parts);
  startup.step("engine");
  const stored = createEventLog(db, lease);
  startup.onStop(() => stored.close());
  const log = sight.measured(stored);
  const plans = createPlanStore(db);
  const functions = functionsOf(templates);
  const owners = peers === null ? {} : { owners: peers.owners };
  const flows = new FlowCheck({ operations: dispatcher, catalog: templates });
  const children = {
    engine: () => engine,
    catalog: templates,
    log,
    feed,
    flows,
    gate: parts.flow.forRuns.gate,
    ...owners,
  };
  const calls = withChildRuns(dispatcher, children);
  const trouble = hubLogger("main");
  const cascade = new AbortCascade({
    engine: () => engine,
    orphans: createOrphanRuns(db),
    onError: (error) => trouble.warn("A run below an aborted one was not aborted: {error}", { error: String(error) }),
    ...owners,
  });
  const engine: Engine = new Engine({
    log,
    plans,
    functions,
    dispatcher: guard.guard(budgets.calls.dispatcher(calls)),
    gate: parts.flow.gate,
    clock,
    ids: createIds(),
    random: Math.random,
    limits: { value: { maxBytes: config.limits.inputBytes, maxDepth: config.limits.jsonDepth } },
    onCommitted: (events) => {
      feed.publish(events);
      sight.committed(events);
      peers?.committed(events);
      budgets.calls.committed(events);
      cascade.committed(events);
      parts.sessions.committed(events);
    },
    onWaited: (ms) => sight.meter.queueWaits.add(ms / 1000),
    onFenced,
    onTrouble: (error) =>
      error === null
        ? trouble.info("The database takes commits again")
        : trouble.warn("A commit failed and is sent again: {error}", { error: String(error) }),
  });
  startup.onStop(() => engine.stop(parts.graceMs ?? graceOf(peers)));
  const letters = createDeadLetterStore(db);
  const runs = createRuns({
    engine,
    log,
    plans,
    functions,
    store: createRunStore(db),
    catalog: templates,
    feed,
    flows,
    ...parts.flow.forRuns,
    driver: (runId) => findRunDriver(db, { runId, hubId }),
    budgets: ({ orgId, runId }) => budgets.ledger.balance({ orgId, kind: "run", id: runId }),
    progress: (query) => sight.logStore.progress(query),
    onRerun: dealtWith(letters),
    whereabouts: [queuedCalls(() => engine), spokeCalls(operations.pool, peers)],
    ...(peers !== null && { whyElsewhere: (params) => askWhy(peers, params) }),
    ...owners,
  });
  if (peers !== null) serveWhy(peers, { engine, runs });
  const reader = new FoldReader({ log, plans, functions });
  const control = openControl({ db, engine, runs, reader, letters });
  return { templates, engine, runs, log, plans, control, cascade, calls };
}

/** Joins the others, takes up what this hub (or a dead one) had left, and keeps the lease. */
export async function recover(
  startup: Startup,
  { foundation, operations, onFenced }: Parts,
  { engine, cascade }: Pick<Driving, "engine" | "cascade">,
): Promise<void> {
  startup.step("recovery");
  const log = hubLogger("main");
  const { peers } = operations;
  const keeper = new LeaseKeeper({
    lease: foundation.lease,
    guard: foundation.guard,
    engine,
    renewEveryMs: RENEW_EVERY_MS,
    claimEveryMs: CLAIM_EVERY_MS,
    onFenced,
    onError: (message, error) => log.warn(`${message}: {error}`, { error: String(error) }),
  });
  await peers?.join();
  const sweep = async (): Promise<void> => {
    const error = await cascade.sweep().then(() => null, String);
    if (error !== null) log.warn("Runs below aborted ones were not looked for: {error}", { error });
  };
  peers?.onGone(() => void keeper.claim().then(sweep, () => {}));
  const adopted = await keeper.claim();
  if (adopted > 0) log.info("Took up {adopted} runs", { adopted });
  await sweep();
  const timer = setInterval(() => void sweep(), SWEEP_EVERY_MS);
  startup.onStop(() => clearInterval(timer));
  keeper.start();
  startup.onStop(() => keeper.stop());
}

/** Functions live in template files only, which all organizations share. */
function functionsOf(templates: Templates): FunctionSource {
  return {
    async functions(name, version, input) {
      const found = await templates.get({ orgId: DEFAULT_ORG, name, version });
      if (found !== null) return found.plan(input).functions;
      throw new Error(`Cannot find version "${version}" of workflow "${name}", which has functions`);
    },
  };
}

function graceOf(peers: Peers | null): number {
  return peers !== null && peers.stats().hubs > 0 ? HANDOVER_GRACE_MS : DEFAULT_GRACE_MS;
}
