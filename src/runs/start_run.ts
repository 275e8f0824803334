import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import {
  type Engine,
  type EventLog,
  type EventOf,
  formatTraceparent,
  type Lineage,
  type NodeReused,
  type ParentCall,
  parseTraceparent,
} from "../../engine/mod.ts";
import { levelBelow, parentOf } from "./parent_run.ts";
import { budgetOfStart, tightest } from "./run_budget.ts";
import type { FlowCheck } from "./flow_check.ts";
import type { StartGate } from "./start_gate.ts";
import type { PreparedPlan, Runs, RunStore, StartRun, WorkflowCatalog, WorkflowVersion } from "./ports.ts";

const LABEL_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
const MAX_LABELS = 32;
const MAX_LABEL_VALUE = 256;
const MAX_KEY = 255;

/** What a start works with. */
export interface StartPorts {
  readonly engine: Engine;
  readonly log: EventLog;
  readonly store: RunStore;
  readonly catalog: WorkflowCatalog;
  /** Absent: what flows between nodes is not checked before a start. */
  readonly flows?: FlowCheck;
  /** Absent: every run starts at once. */
  readonly gate?: StartGate;
  /** The run that has an idempotency key; null: none. */
  readonly findStarted?: (
    params: { readonly orgId: string; readonly workflow: string; readonly key: string },
  ) => Promise<string | null>;
}

/** What a run has from the one it was made of. */
export interface Descent {
  readonly lineage: Lineage;
  readonly reuse: readonly NodeReused[];
  /** The hub's own, beside the request's. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Checks, compiles and starts; see `Runs.start`. `descend` is asked once the plan is known. */
export async function startRun(
  ports: StartPorts,
  request: StartRun,
  descend?: (prepared: PreparedPlan, version: string) => Descent,
): ReturnType<Runs["start"]> {
  const { caller, idempotencyKey } = request;
  const workflow = await resolveWorkflow(ports.catalog, request);
  checkStart(request);
  const above = request.parent === undefined ? NO_PARENT : await startBelow(ports, request, request.parent);
  const priority = request.priority ?? above.created?.priority;
  const labels = labelsOf(request, above);
  const traceparent = traceparentOf(request.traceparent, above.created);
  const input = workflow.decodeInput(request.input);
  const prepared = workflow.plan(input);
  const { hash, plan, functions } = prepared;
  const checking = ports.flows?.check(caller.orgId, workflow, plan);
  if (checking !== undefined) await checking;
  const limits = plan.budget === undefined && request.budget === undefined
    ? null
    : tightest(plan.budget, request.budget);
  const descent = descend?.(prepared, workflow.version);
  const earlier = workflow.flow?.onConflict === "reject" && idempotencyKey !== undefined
    ? await ports.findStarted?.({ orgId: caller.orgId, workflow: workflow.name, key: idempotencyKey }) ?? null
    : null;
  if (earlier !== null) return await earlierRun(ports, { runId: earlier, input, request });
  const opening = ports.gate?.of({
    orgId: caller.orgId,
    workflow,
    input,
    priority: priority ?? 0,
    startAfter: request.startAfter ?? null,
  }) ?? null;
  const pass = opening instanceof Promise ? await opening : opening;
  const starting = ports.engine.start({
    workflow: workflow.name,
    version: workflow.version,
    planHash: hash,
    plan,
    functions,
    input,
    caller,
    ...(pass !== null && { gate: pass.gate, ...(pass.runId !== undefined && { id: pass.runId }) }),
    ...(labels !== undefined && { labels: descent === undefined ? labels : { ...labels, ...descent.labels } }),
    ...(descent !== undefined && { lineage: descent.lineage, reuse: descent.reuse }),
    ...(priority !== undefined && { priority }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(request.isPaidApart !== true && (limits !== null || above.created !== null) &&
      budgetOfStart({ limits, parent: above.created, now: Date.now() })),
    ...(request.parent !== undefined && { parent: request.parent }),
    ...(request.durability !== undefined && { durability: request.durability }),
    ...(traceparent !== undefined && { traceparent }),
  });
  if (pass !== null) starting.then(({ duplicate }) => duplicate && pass.cancel(), () => pass.cancel());
  const { runId, duplicate } = await starting;
  if (!duplicate) return { id: runId, status: pass === null ? "running" : "queued", duplicate };
  return await earlierRun(ports, { runId, input, request });
}

/** What a start has from the run that it is below. */
interface Above {
  /** Null: it is below none. */
  readonly created: EventOf<"run.created"> | null;
  readonly level: number;
}

const NO_PARENT: Above = { created: null, level: 0 };

async function startBelow(ports: StartPorts, { caller, workflow }: StartRun, parent: ParentCall): Promise<Above> {
  const created = await parentOf(ports, { orgId: caller.orgId, parent });
  return { created, level: levelBelow(created, workflow) };
}

function labelsOf({ labels, ownLabels }: StartRun, { created, level }: Above): StartRun["labels"] {
  if (created === null) return ownLabels === undefined ? labels : { ...labels, ...ownLabels };
  return { ...labels, ...ownLabels, "hub.depth": String(level) };
}

/** Of who asks, else of the run it is below. */
function traceparentOf(given: string | undefined, created: Above["created"]): string | undefined {
  const trace = given === undefined ? null : parseTraceparent(given);
  return trace === null ? created?.traceparent : formatTraceparent(trace);
}

/** The run that a key already stands for. Its input must be the same: else somebody would be given another's result. */
async function earlierRun(
  { log, store }: StartPorts,
  params: { readonly runId: string; readonly input: Json; readonly request: StartRun },
): ReturnType<Runs["start"]> {
  const { runId, input, request } = params;
  const [created] = await log.read({ runId, limit: 1 });
  const record = await store.get({ orgId: request.caller.orgId, runId });
  if (created?.type !== "run.created" || record === null) {
    throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
  }
  if (canonical(created.input) !== canonical(input)) {
    throw new CallError(
      "IDEMPOTENCY_MISMATCH",
      `Idempotency key "${request.idempotencyKey}" already stands for run ${runId}, which has another input`,
      { runId },
    );
  }
  return { id: runId, status: record.status, duplicate: true };
}

/** JSON text that does not depend on the order of keys. */
function canonical(value: Json): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}

/** The version that is asked for, or the one that is served. @throws CallError WORKFLOW_NOT_FOUND with what is near */
export async function resolveWorkflow(
  catalog: WorkflowCatalog,
  request: Pick<StartRun, "workflow" | "version" | "caller">,
): Promise<WorkflowVersion> {
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
  const { startAfter } = request;
  if (startAfter !== undefined && !(Number.isSafeInteger(startAfter) && startAfter >= 0)) {
    errors.push({ path: "/startAfter", message: `Milliseconds since the epoch, it is ${startAfter}` });
  }
  if (errors.length > 0) {
    throw new CallError("VALIDATION_ERROR", `Cannot start a run: ${errors[0]!.message}`, { errors });
  }
}
