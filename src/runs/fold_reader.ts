import {
  compileProgram,
  type EventLog,
  foldRun,
  type FunctionSource,
  type PlanStore,
  type Program,
  type RunEvent,
  type RunState,
} from "../../engine/mod.ts";

/** Programs kept for reading, by plan hash. */
const CACHE = 100;

/** Reads a run back from its log: events, and the state that they fold to. */
export class FoldReader {
  readonly #log: EventLog;
  readonly #plans: PlanStore;
  readonly #functions: FunctionSource;
  readonly #programs: Map<string, Program> = new Map();

  constructor(ports: { readonly log: EventLog; readonly plans: PlanStore; readonly functions: FunctionSource }) {
    this.#log = ports.log;
    this.#plans = ports.plans;
    this.#functions = ports.functions;
  }

  events(runId: string): Promise<readonly RunEvent[]> {
    return this.#log.read({ runId });
  }

  /** The state after `at` (default: the last event); null for a run without a log. */
  async state(runId: string, at: number = Infinity): Promise<RunState | null> {
    const events = await this.#log.read({ runId, ...(Number.isFinite(at) && { limit: at }) });
    const created = events[0];
    if (created?.type !== "run.created") return null;
    return foldRun(await this.#program(created), events);
  }

  async #program(created: Extract<RunEvent, { type: "run.created" }>): Promise<Program> {
    const kept = this.#programs.get(created.planHash);
    if (kept !== undefined) return kept;
    const plan = await this.#plans.get(created.planHash);
    if (plan === null) throw new Error(`Cannot find plan "${created.planHash}" of run ${created.runId}`);
    const hasFunctions = plan.nodes.some((node) => node.kind === "conditional" || node.kind === "map") &&
      JSON.stringify(plan).includes('"$fn":');
    const functions = hasFunctions
      ? await this.#functions.functions(created.workflow, created.version, created.input).catch(() => new Map())
      : new Map();
    const program = compileProgram(plan, functions);
    if (hasFunctions) return program;
    if (this.#programs.size >= CACHE) {
      for (const oldest of this.#programs.keys()) {
        this.#programs.delete(oldest);
        break;
      }
    }
    this.#programs.set(created.planHash, program);
    return program;
  }
}
