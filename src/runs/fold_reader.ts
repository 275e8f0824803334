import {
  type EventLog,
  foldRun,
  type FunctionSource,
  planPin,
  type PlanStore,
  ProgramCache,
  type RunEvent,
  type RunState,
} from "../../engine/mod.ts";

/** Programs kept for reading. */
const PROGRAMS = 100;

/** Reads a run back from its log: events, and the state that they fold to. */
export class FoldReader {
  readonly #log: EventLog;
  readonly #programs: ProgramCache;

  constructor(ports: { readonly log: EventLog; readonly plans: PlanStore; readonly functions: FunctionSource }) {
    this.#log = ports.log;
    const { functions } = ports;
    // A state can be read though a template with functions is gone: its decisions are in the log.
    const lenient: FunctionSource = { functions: (...which) => functions.functions(...which).catch(() => new Map()) };
    this.#programs = new ProgramCache({ plans: ports.plans, functions: lenient }, PROGRAMS);
  }

  events(runId: string): Promise<readonly RunEvent[]> {
    return this.#log.read({ runId });
  }

  /** The state after `at` (default: the last event); null for a run without a log. */
  async state(runId: string, at: number = Infinity): Promise<RunState | null> {
    const events = await this.#log.read({ runId, ...(Number.isFinite(at) && { limit: at }) });
    return await this.fold(events);
  }

  /** The state that a log, or its beginning, folds to: under the plan that held at its end. Null: it has no start. */
  async fold(events: readonly RunEvent[]): Promise<RunState | null> {
    const pin = planPin(events);
    return pin === null ? null : foldRun(await this.#programs.of(pin), events);
  }
}
