import { type OperationRegistration, OperationRegistry } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { BUILTINS, type OperationSchemas, registrationOf } from "./builtins.ts";
import type { CrashPoint } from "./fault.ts";
import { replay, type ReplayResult, type SavedHistory } from "./history.ts";
import type { Mock, Mocks } from "./mock.ts";
import type { TestableWorkflow } from "./prepare_run.ts";
import { WorkflowRun } from "./workflow_run.ts";
import { type RecordedCall, World } from "./world.ts";

/** What a test's hub is made of. */
export interface WorkflowTestOptions {
  /** Mocks by operation id. `core.echo`, `core.fail`, `core.eval` and `core.sleep` are there without. */
  readonly operations?: Mocks;
  /** Real operations, called as they are unless `operations` mocks them; their schemas check the mocks' inputs. */
  readonly registrations?: readonly OperationRegistration[];
  /** Schemas of operations that only `operations` mocks: an input that does not fit fails with `VALIDATION_ERROR`. */
  readonly schemas?: Readonly<Record<string, Partial<OperationSchemas>>>;
  /** Workflows that may be started as children. */
  readonly workflows?: readonly TestableWorkflow[];
  /** Where virtual time starts: ISO 8601, or ms since the epoch. Default 2024-01-01T00:00:00Z. */
  readonly now?: string | number;
  /** For the jitter of retries, in [0, 1). Default: 0, the longest delay each time. */
  readonly random?: () => number;
  /** Where the hub is killed and started again. */
  readonly crashes?: readonly CrashPoint[];
}

/** How a run is started. */
export interface TestRunOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
}

/** A hub for tests: the real engine on a log in memory, virtual time, and mocks for the outside world. */
export interface WorkflowTest {
  /** Virtual time, ms since the epoch. */
  readonly now: number;
  /** How often the hub was killed so far. */
  readonly crashes: number;
  /** Crash points that nothing has reached: a test that means to crash should find none. */
  readonly unreached: readonly CrashPoint[];
  /**
   * Starts a run and lets everything happen that needs no time. Then `advance` or `finish` it, or answer its signals.
   *
   * @throws CallError `VALIDATION_ERROR` for an input that the workflow's schema refuses, TemplateError for a wrong template
   */
  run(workflow: TestableWorkflow, input?: unknown, options?: TestRunOptions): Promise<WorkflowRun>;
  /** What was called so far, by all runs, in order, each delivery; of one operation, or all. */
  calls(operationId?: string): readonly RecordedCall[];
  /** Kills the hub, as with `kill -9`, and starts it again: it has nothing but its log. */
  crash(): Promise<void>;
  /** Kills it later. */
  crashAt(point: CrashPoint): void;
  /** Whether a template would still write a recorded history, and where not. */
  replay(workflow: TestableWorkflow, history: SavedHistory): ReplayResult;
}

/**
 * Makes a hub for one test. Nothing of it is real but the engine: no database, no network, no waiting.
 *
 * @throws TypeError for an operation id that is none, or a crash point that says nothing
 */
export function createWorkflowTest(options: WorkflowTestOptions = {}): WorkflowTest {
  const { now = "2024-01-01T00:00:00Z", random = () => 0, workflows = [] } = options;
  const startMs = typeof now === "number" ? now : Date.parse(now);
  if (!Number.isFinite(startMs)) throw new TypeError(`"now" is ${JSON.stringify(now)}: want ISO 8601 or milliseconds`);
  const world = new World({
    registry: registryOf(options),
    workflows: new Map(workflows.map((workflow) => [workflow.name, workflow])),
    startMs,
    random,
  });
  for (const point of options.crashes ?? []) world.faults.add(point);
  return {
    get now() {
      return world.clock.now();
    },
    get crashes() {
      return world.crashes;
    },
    get unreached() {
      return world.faults.unreached;
    },
    async run(workflow, input, { labels, priority } = {}) {
      const run = { ...(labels !== undefined && { labels }), ...(priority !== undefined && { priority }) };
      const id = await world.start(workflow, input, { run });
      await world.settle();
      return new WorkflowRun(world, id);
    },
    calls: (operationId) => world.calls.filter((call) => operationId === undefined || call.operationId === operationId),
    crash: () => world.crashNow(),
    crashAt: (point) => world.faults.add(point),
    replay,
  };
}

const ANYTHING: OperationSchemas = { inputSchema: Type.Unknown(), outputSchema: Type.Unknown() };

function registryOf({ operations = {}, registrations = [], schemas = {} }: WorkflowTestOptions): OperationRegistry {
  const registry = new OperationRegistry();
  for (const [id, { mock, ...shape }] of Object.entries(BUILTINS)) registry.register(registrationOf(id, shape, mock));
  registry.registerAll(registrations);
  const mocks: Readonly<Record<string, Mock | undefined>> = operations;
  for (const [id, mock] of Object.entries(mocks)) {
    if (mock === undefined) continue;
    const known = registry.getSpec(id);
    const shape = { ...(known ?? ANYTHING), ...schemas[id] };
    const { inputSchema, outputSchema } = shape;
    registry.register(registrationOf(id, { inputSchema, outputSchema }, mock));
  }
  for (const id of Object.keys(schemas)) {
    if (registry.getSpec(id) === undefined) {
      throw new TypeError(`"schemas" names "${id}", which "operations" does not mock`);
    }
  }
  return registry;
}
