import { CallError } from "@alkdev/operations";
import {
  type Caller,
  type Engine,
  type EventLog,
  type FunctionSource,
  type PlanStore,
  type RunState,
} from "../../engine/mod.ts";
import { callTreeOf } from "./call_tree.ts";
import { callsOf } from "./call_view.ts";
import { commandRun, ended, signalAnswered } from "./command_run.ts";
import { FoldReader } from "./fold_reader.ts";
import { graphOf } from "./graph.ts";
import type {
  RunCommand,
  RunOwners,
  RunRecord,
  Runs,
  RunStore,
  RunView,
  StartRun,
  WorkflowCatalog,
  WorkflowVersion,
} from "./ports.ts";
import type { RunFeed } from "./run_feed.ts";
import { recordOf, viewOfEnded, viewOfState } from "./run_view.ts";
import { watchRun } from "./watch.ts";
import { whyOf } from "./why.ts";

export interface RunsOptions {
  readonly engine: Engine;
  readonly log: EventLog;
  readonly plans: PlanStore;
  readonly functions: FunctionSource;
  readonly store: RunStore;
  readonly catalog: WorkflowCatalog;
  readonly feed: RunFeed;
  /** Absent: this hub is alone, and a run that it does not drive is about to be taken up. */
  readonly owners?: RunOwners;
}

const LABEL_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
const MAX_LABELS = 32;
const MAX_LABEL_VALUE = 256;
const MAX_KEY = 255;

/** The run use cases over one engine. */
export function createRuns(options: RunsOptions): Runs {
  const { engine, store, catalog, log, feed } = options;
  const reader = new FoldReader(options);

  const record = async (caller: Caller, runId: string): Promise<RunRecord> => {
    const found = await store.get({ orgId: caller.orgId, runId });
    if (found === null) throw notFound(runId);
    return found;
  };
  const state = async (caller: Caller, runId: string, at?: number): Promise<RunState> => {
    await record(caller, runId);
    const folded = await reader.state(runId, at);
    if (folded === null) throw notFound(runId);
    return folded;
  };
  const view = async (caller: Caller, runId: string): Promise<RunView> => {
    const row = await record(caller, runId);
    const folded = await reader.state(runId);
    return folded === null ? Promise.reject(notFound(runId)) : viewOfState({ ...row, status: folded.status }, folded);
  };
  const command = async (caller: Caller, runId: string, what: RunCommand): Promise<void> => {
    const refuseEnded = async (): Promise<void> => {
      const row = await record(caller, runId);
      if (row.completedAt === null) return;
      throw what.type === "signal" ? signalAnswered(runId, what.name) : ended(row);
    };
    await refuseEnded();
    const params = { runId, by: caller.identity.id, command: what };
    try {
      if (engine.live(runId) !== null || options.owners === undefined) await commandRun(engine, params);
      else await options.owners.command(params);
    } catch (error) {
      // It may have ended on the way.
      if (error instanceof CallError && error.code === "RUN_NOT_HERE") await refuseEnded();
      throw error;
    }
  };

  const runs: Runs = {
    async start(request) {
      const workflow = await resolveWorkflow(catalog, request);
      checkStart(request);
      const input = workflow.decodeInput(request.input);
      const { hash, plan, functions } = workflow.plan(input);
      const { runId, duplicate } = await engine.start({
        workflow: workflow.name,
        version: workflow.version,
        planHash: hash,
        plan,
        functions,
        input,
        caller: request.caller,
        ...(request.labels !== undefined && { labels: request.labels }),
        ...(request.priority !== undefined && { priority: request.priority }),
        ...(request.idempotencyKey !== undefined && { idempotencyKey: request.idempotencyKey }),
      });
      if (!duplicate) return { id: runId, status: "running", duplicate };
      return { id: runId, status: (await record(request.caller, runId)).status, duplicate };
    },

    async wait({ caller, runId, ms }) {
      const live = engine.live(runId);
      const created = live?.state.created ?? null;
      const done = engine.done(runId);
      if (live !== null && created !== null && done !== null && created.caller.orgId === caller.orgId) {
        const terminal = await within(done, ms);
        if (terminal !== null) return viewOfEnded(recordOf(created, terminal), created.input, terminal);
        return view(caller, runId);
      }
      const now = await view(caller, runId);
      if (now.completedAt !== null || ms <= 0) return now;
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), ms);
      try {
        for await (const _ of watchRun({ log, feed, runId, after: now.lastSeq, signal: stop.signal }));
      } finally {
        clearTimeout(timer);
      }
      return view(caller, runId);
    },

    get: ({ caller, runId }) => view(caller, runId),
    list: ({ caller, ...query }) => store.list({ ...query, orgId: caller.orgId }),
    graph: async ({ caller, runId, at, data = true }) => graphOf(await state(caller, runId, at), { data }),

    async events({ caller, runId, after = 0, limit = 1000 }) {
      await record(caller, runId);
      return log.read({ runId, after, limit });
    },

    async *watch({ caller, runId, after = 0, signal }) {
      await record(caller, runId);
      yield* watchRun({ log, feed, runId, after, signal });
    },

    async calls({ caller, runId }) {
      await record(caller, runId);
      return callsOf(await reader.events(runId));
    },

    async call({ caller, requestId }) {
      const found = await store.findCall({ orgId: caller.orgId, requestId });
      const calls = found === null ? [] : callsOf(await reader.events(found.runId));
      const call = calls.find((one) => one.requestId === requestId);
      if (call === undefined) throw callNotFound(requestId);
      return call;
    },

    async callTree({ caller, requestId }) {
      const found = await store.findCall({ orgId: caller.orgId, requestId });
      if (found === null) throw callNotFound(requestId);
      const tree = await callTreeOf({
        orgId: caller.orgId,
        runId: found.runId,
        requestId,
        store,
        read: (runId) => reader.events(runId),
      });
      if (tree === null) throw callNotFound(requestId);
      return tree;
    },

    why: async ({ caller, runId }) => whyOf(await state(caller, runId)),

    async abort({ caller, runId, reason = "Aborted by request" }) {
      await command(caller, runId, { type: "abort", reason });
      return view(caller, runId);
    },

    async pause({ caller, runId }) {
      await command(caller, runId, { type: "pause" });
      return view(caller, runId);
    },

    async resume({ caller, runId }) {
      await command(caller, runId, { type: "resume" });
      return view(caller, runId);
    },

    async rerun({ caller, runId, input, version }) {
      const old = await view(caller, runId);
      return runs.start({
        workflow: old.workflow,
        version: version ?? old.version,
        input: input === undefined ? old.input : input,
        caller,
        priority: old.priority,
        labels: { ...withoutOwn(old.labels), rerunOf: runId },
      });
    },

    signal: ({ caller, runId, name, payload }) => command(caller, runId, { type: "signal", name, payload }),
  };
  return runs;
}

async function resolveWorkflow(catalog: WorkflowCatalog, request: StartRun): Promise<WorkflowVersion> {
  const params = { orgId: request.caller.orgId, name: request.workflow };
  const found = await catalog.get(request.version === undefined ? params : { ...params, version: request.version });
  if (found !== null) return found;
  const similar = await catalog.similar(params);
  const which = request.version === undefined ? "" : ` in version "${request.version}"`;
  const hint = similar.length === 0
    ? ""
    : `; did you mean ${similar.slice(0, 3).map((name) => `"${name}"`).join(" or ")}?`;
  throw new CallError("WORKFLOW_NOT_FOUND", `There is no workflow "${request.workflow}"${which}${hint}`, {
    workflow: request.workflow,
    similar,
  });
}

function checkStart(request: StartRun): void {
  const errors: { path: string; message: string }[] = [];
  const { labels = {}, idempotencyKey, priority } = request;
  if (Object.keys(labels).length > MAX_LABELS) {
    errors.push({ path: "/labels", message: `At most ${MAX_LABELS} labels` });
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key)) {
      errors.push({ path: `/labels/${key}`, message: `Label "${key}" must match ${LABEL_KEY.source}` });
    } else if (key.startsWith("hub.")) {
      errors.push({ path: `/labels/${key}`, message: `Labels that start with "hub." are the hub's own` });
    }
    if (value.length > MAX_LABEL_VALUE) {
      errors.push({ path: `/labels/${key}`, message: `At most ${MAX_LABEL_VALUE} characters` });
    }
  }
  if (idempotencyKey !== undefined && (idempotencyKey.length === 0 || idempotencyKey.length > MAX_KEY)) {
    errors.push({
      path: "Idempotency-Key",
      message: `Between 1 and ${MAX_KEY} characters, it has ${idempotencyKey.length}`,
    });
  }
  if (priority !== undefined && (!Number.isInteger(priority) || Math.abs(priority) > 1000)) {
    errors.push({ path: "/priority", message: `An integer from -1000 to 1000, it is ${priority}` });
  }
  if (errors.length > 0) {
    throw new CallError("VALIDATION_ERROR", `Cannot start a run: ${errors[0]!.message}`, { errors });
  }
}

function withoutOwn(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith("hub.")));
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
