import { CallError } from "@alkdev/operations";
import {
  type Caller,
  type Engine,
  type EventLog,
  type FunctionSource,
  planPin,
  type PlanStore,
  type RunEvent,
  type RunState,
} from "../../engine/mod.ts";
import { callTreeOf } from "./call_tree.ts";
import { callsOf } from "./call_view.ts";
import { commandRun, ended, migrationRefused, outOfReach, signalAnswered } from "./command_run.ts";
import type { FlowCheck } from "./flow_check.ts";
import { FoldReader } from "./fold_reader.ts";
import { graphOf } from "./graph.ts";
import { progressOf, type ProgressReader, withProgress } from "./node_progress.ts";
import type { RunCommand, RunDriver, RunOwners, RunRecord, Runs, RunStore, RunView, WorkflowCatalog } from "./ports.ts";
import type { RunFeed } from "./run_feed.ts";
import { type BudgetReader, budgetViewOf } from "./run_budget_view.ts";
import { recordOf, viewOfEnded, viewOfState } from "./run_view.ts";
import { planMigration } from "./migrate_to.ts";
import { LINEAGE_LABEL, rerunRun } from "./rerun_run.ts";
import type { FlowWaits, StartGate } from "./start_gate.ts";
import { resolveWorkflow, type StartPorts, startRun } from "./start_run.ts";
import { watchRun } from "./watch.ts";
import { whyOf } from "./why.ts";
import type { Whereabouts, WhyEntry } from "./why_entry.ts";

export interface RunsOptions {
  readonly engine: Engine;
  readonly log: EventLog;
  readonly plans: PlanStore;
  readonly functions: FunctionSource;
  readonly store: RunStore;
  readonly catalog: WorkflowCatalog;
  readonly feed: RunFeed;
  /** Absent: what flows between nodes is not checked before a start. */
  readonly flows?: FlowCheck;
  /** Absent: this hub is alone, and a run that it does not drive is about to be taken up. */
  readonly owners?: RunOwners;
  /** Without `owners`: another hub that drives a run and lives, to be named; null: there is none. */
  readonly driver?: (runId: string) => Promise<RunDriver | null>;
  /** Absent: nodes say nothing of their progress. */
  readonly progress?: ProgressReader;
  /** Absent: what runs have used of their budgets is not told. */
  readonly budgets?: BudgetReader;
  /** Told when a run has been run again. */
  readonly onRerun?: (
    params: { readonly caller: Caller; readonly runId: string; readonly newRunId: string },
  ) => Promise<void>;
  /** Parts of this hub that know why a call is not moving; asked in their order. */
  readonly whereabouts?: readonly Whereabouts[];
  /** Asks the hub that drives a run; null: it cannot be asked, or does not drive it any more. Absent: there are no others. */
  readonly whyElsewhere?: (
    params: { readonly hubId: string; readonly orgId: string; readonly runId: string },
  ) => Promise<readonly WhyEntry[] | null>;
  /** Absent: nothing waits at a gate. */
  readonly waits?: FlowWaits;
  readonly gate?: StartGate;
  readonly findStarted?: NonNullable<StartPorts["findStarted"]>;
}

/** The run use cases over one engine. */
export function createRuns(options: RunsOptions): Runs {
  return new RunUseCases(options);
}

type Params<Method extends keyof Runs> = Parameters<Runs[Method]>[0];
type Result<Method extends keyof Runs> = ReturnType<Runs[Method]>;

class RunUseCases implements Runs {
  readonly #options: RunsOptions;
  readonly #reader: FoldReader;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#reader = new FoldReader(options);
  }

  start(request: Params<"start">): Result<"start"> {
    return startRun(this.#options, request);
  }

  async wait({ caller, runId, ms }: Params<"wait">): Result<"wait"> {
    const { engine, log, feed } = this.#options;
    const live = engine.live(runId);
    const created = live?.state.created ?? null;
    const done = engine.done(runId);
    if (created !== null && done !== null && created.caller.orgId === caller.orgId) {
      const terminal = await within(done, ms);
      if (terminal !== null) {
        return this.#withBudget(
          viewOfEnded(recordOf(created, terminal, live?.state.migrated), created, terminal),
          created,
        );
      }
      return this.#view(caller, runId);
    }
    const now = await this.#view(caller, runId);
    if (now.completedAt !== null || ms <= 0) return now;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ms);
    try {
      for await (const _ of watchRun({ log, feed, runId, after: now.lastSeq, signal: stop.signal }));
    } finally {
      clearTimeout(timer);
    }
    return this.#view(caller, runId);
  }

  async get({ caller, runId, at }: Params<"get">): Result<"get"> {
    if (at !== undefined) return await this.#viewAt(caller, runId, at);
    const view = await this.#view(caller, runId);
    if (view.completedAt !== null) return view;
    const [last] = await this.#options.progress?.({ runId, limit: 1 }) ?? [];
    return last === undefined ? view : { ...view, lastProgress: progressOf(last) };
  }

  list({ caller, ...query }: Params<"list">): Result<"list"> {
    const { lineage, label = [], ...rest } = query;
    const labels = lineage === undefined ? label : [...label, `${LINEAGE_LABEL}=${lineage}`];
    return this.#options.store.list({ ...rest, ...(labels.length > 0 && { label: labels }), orgId: caller.orgId });
  }

  async graph({ caller, runId, at, data = true }: Params<"graph">): Result<"graph"> {
    const graph = graphOf(await this.#state(caller, runId, at), { data });
    const { progress } = this.#options;
    // What was said is not in the log: of a past state it is not known.
    return progress === undefined || at !== undefined ? graph : withProgress(graph, await progress(newest(runId)));
  }

  async events({ caller, runId, after = 0, limit = 1000 }: Params<"events">): Result<"events"> {
    await this.#record(caller, runId);
    return this.#options.log.read({ runId, after, limit });
  }

  async mayFollow({ caller, runId, after }: Params<"mayFollow">): Result<"mayFollow"> {
    const { completedAt } = await this.#record(caller, runId);
    if (completedAt === null || after === 0) return true;
    return (await this.#options.log.read({ runId, after, limit: 1 })).length > 0;
  }

  async *watch({ caller, runId, after = 0, signal }: Params<"watch">): AsyncGenerator<RunEvent> {
    const { log, feed } = this.#options;
    await this.#record(caller, runId);
    yield* watchRun({ log, feed, runId, after, signal });
  }

  async calls({ caller, runId }: Params<"calls">): Result<"calls"> {
    await this.#record(caller, runId);
    return callsOf(await this.#reader.events(runId));
  }

  async call({ caller, requestId }: Params<"call">): Result<"call"> {
    const found = await this.#options.store.findCall({ orgId: caller.orgId, requestId });
    const calls = found === null ? [] : callsOf(await this.#reader.events(found.runId));
    const call = calls.find((one) => one.requestId === requestId);
    if (call === undefined) throw callNotFound(requestId);
    return call;
  }

  async callTree({ caller, requestId }: Params<"callTree">): Result<"callTree"> {
    const { store } = this.#options;
    const { orgId } = caller;
    const found = await store.findCall({ orgId, requestId });
    const read = (runId: string) => this.#reader.events(runId);
    const tree = found && await callTreeOf({ orgId, runId: found.runId, requestId, store, read });
    if (tree === null) throw callNotFound(requestId);
    return tree;
  }

  async why({ caller, runId }: Params<"why">): Result<"why"> {
    const { engine, driver, whereabouts = [] } = this.#options;
    const state = await this.#state(caller, runId);
    if (state.terminal !== null) return [];
    const isHere = engine.live(runId) !== null || driver === undefined;
    const drivenBy = isHere ? "here" : await driver(runId) ?? (engine.live(runId) === null ? "nobody" : "here");
    if (typeof drivenBy === "object") {
      const { hubId } = drivenBy;
      const told = await this.#options.whyElsewhere?.({ hubId, orgId: caller.orgId, runId }) ?? null;
      if (told !== null) return told;
    }
    const workflow = state.created?.workflow ?? "";
    const gate = await this.#options.waits?.({ orgId: caller.orgId, runId, workflow }) ?? null;
    return whyOf(state, { driver: drivenBy, whereabouts, gate });
  }

  abort({ caller, runId, reason = "Aborted by request" }: Params<"abort">): Result<"abort"> {
    return this.#commandAndView(caller, runId, { type: "abort", reason });
  }

  pause({ caller, runId }: Params<"pause">): Result<"pause"> {
    return this.#commandAndView(caller, runId, { type: "pause" });
  }

  resume({ caller, runId }: Params<"resume">): Result<"resume"> {
    return this.#commandAndView(caller, runId, { type: "resume" });
  }

  actOnNode({ caller, runId, key, act }: Params<"actOnNode">): Result<"actOnNode"> {
    return this.#commandAndView(caller, runId, { type: "node", key, act });
  }

  signal({ caller, runId, name, payload }: Params<"signal">): Result<"signal"> {
    return this.#command(caller, runId, { type: "signal", name, payload, scopes: caller.identity.scopes });
  }

  async rerun(params: Params<"rerun">): Result<"rerun"> {
    const { caller, runId } = params;
    const record = await this.#record(caller, runId);
    const state = await this.#state(caller, runId);
    const started = await rerunRun(this.#options, { kind: "rerun", record, state, params });
    await this.#options.onRerun?.({ caller, runId, newRunId: started.id });
    return started;
  }

  async fork(params: Params<"fork">): Result<"fork"> {
    const { caller, runId, at } = params;
    const record = await this.#record(caller, runId);
    const state = await this.#state(caller, runId, at);
    return await rerunRun(this.#options, { kind: "fork", record, state, params });
  }

  async migrate({ caller, runId, version, dryRun = false }: Params<"migrate">): Result<"migrate"> {
    const { catalog, plans } = this.#options;
    const record = await this.#record(caller, runId);
    if (record.completedAt !== null) throw ended(record);
    const target = await resolveWorkflow(catalog, { workflow: record.workflow, version, caller });
    const events = await this.#reader.events(runId);
    const state = await this.#reader.fold(events);
    if (state === null) throw notFound(runId);
    const from = planPin(events)?.version ?? record.version;
    const { migration, prepared } = planMigration({ state, events, from, target });
    if (dryRun) return migration;
    if (!migration.allowed || prepared === null) throw migrationRefused({ runId, version, reasons: migration.reasons });
    await plans.put(prepared.hash, prepared.plan);
    await this.#command(caller, runId, { type: "migrate", version: target.version, planHash: prepared.hash });
    return { ...migration, migrated: true };
  }

  async #record(caller: Caller, runId: string): Promise<RunRecord> {
    const found = await this.#options.store.get({ orgId: caller.orgId, runId });
    if (found === null) throw notFound(runId);
    return found;
  }

  async #state(caller: Caller, runId: string, at?: number): Promise<RunState> {
    await this.#record(caller, runId);
    const folded = await this.#reader.state(runId, at);
    if (folded === null) throw notFound(runId);
    return folded;
  }

  async #view(caller: Caller, runId: string): Promise<RunView> {
    const record = await this.#record(caller, runId);
    const folded = await this.#reader.state(runId);
    if (folded === null) throw notFound(runId);
    return this.#withBudget(viewOfState({ ...record, status: folded.status }, folded), folded.created);
  }

  /** What is used is the ledger's to say. */
  #withBudget(view: RunView, created: RunState["created"]): RunView | Promise<RunView> {
    const { budgets } = this.#options;
    if (budgets === undefined || created?.budget?.own == null) return view;
    const { orgId, id: runId, completedAt } = view;
    return budgets({ orgId, runId }).then((use) => {
      const budget = budgetViewOf({ created, use, until: completedAt ?? Date.now() });
      return { ...view, budget };
    });
  }

  /** The list's row says how the run is now: all that changes is taken from the state. */
  async #viewAt(caller: Caller, runId: string, at: number): Promise<RunView> {
    const record = await this.#record(caller, runId);
    const folded = await this.#reader.state(runId, at);
    if (folded === null) throw notFound(runId);
    const { status, terminal } = folded;
    const errorCode = terminal?.type === "run.failed"
      ? terminal.error.code
      : terminal?.type === "run.aborted"
      ? "ABORTED"
      : null;
    return viewOfState({ ...record, status, completedAt: terminal?.at ?? null, errorCode }, folded);
  }

  async #commandAndView(caller: Caller, runId: string, command: RunCommand): Promise<RunView> {
    await this.#command(caller, runId, command);
    return await this.#view(caller, runId);
  }

  /** To the engine here, or to the hub that drives the run. */
  async #command(caller: Caller, runId: string, command: RunCommand): Promise<void> {
    const { engine, owners } = this.#options;
    await this.#refuseEnded(caller, runId, command);
    const params = { runId, by: caller.identity.id, command };
    try {
      if (engine.live(runId) !== null || owners === undefined) await commandRun(engine, params);
      else await owners.command(params);
    } catch (error) {
      // It may have ended on the way.
      if (error instanceof CallError && error.code === "RUN_NOT_HERE") {
        await this.#refuseEnded(caller, runId, command);
        const driver = owners === undefined ? await this.#options.driver?.(runId) : null;
        if (driver) throw outOfReach(runId, driver);
      }
      throw error;
    }
  }

  async #refuseEnded(caller: Caller, runId: string, command: RunCommand): Promise<void> {
    const record = await this.#record(caller, runId);
    if (record.completedAt === null) return;
    throw command.type === "signal" ? signalAnswered(runId, command.name) : ended(record);
  }
}

/** Nodes whose progress is shown in a graph at most: those that spoke last. */
function newest(runId: string): { readonly runId: string; readonly limit: number } {
  return { runId, limit: 10_000 };
}

function within<T>(promise: Promise<T | null>, ms: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), ms);
    promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    }, reject);
  });
}

function notFound(runId: string): CallError {
  return new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
}

function callNotFound(requestId: string): CallError {
  return new CallError("CALL_NOT_FOUND", `There is no call "${requestId}"`, { requestId });
}
