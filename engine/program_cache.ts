import type { Plan, PlanFunction } from "@alkdev/flowgraph";
import type { FunctionSource, PlanStore } from "./ports.ts";
import { compileProgram, type Program } from "./program.ts";
import type { PlanPin } from "./state/plan_pin.ts";

/** Programs kept by default, though no live run may use them. */
const DEFAULT_SIZE = 500;
/** How long a plan that was stored is taken to be there. */
const STORED_MS = 3_600_000;
const MAX_STORED = 10_000;
const NO_FUNCTIONS: ReadonlyMap<string, PlanFunction> = new Map();

/** Compiled programs by plan hash. One with functions belongs to one input and is not kept. */
export class ProgramCache {
  readonly #plans: PlanStore;
  readonly #functions: FunctionSource;
  readonly #size: number;
  readonly #programs: Map<string, Program> = new Map();
  readonly #stored: Set<string> = new Set();
  #storedSince = -Infinity;

  constructor(
    ports: { readonly plans: PlanStore; readonly functions: FunctionSource },
    size: number = DEFAULT_SIZE,
  ) {
    this.#plans = ports.plans;
    this.#functions = ports.functions;
    this.#size = size;
  }

  /** Whether the plan store has been told of a plan lately: it may forget one that it has not heard of for a day. */
  isStored(hash: string, now: number): boolean {
    if (now - this.#storedSince >= STORED_MS || this.#stored.size >= MAX_STORED) {
      this.#storedSince = now;
      this.#stored.clear();
    }
    return this.#stored.has(hash);
  }

  /** The plan store has been told. */
  stored(hash: string): void {
    this.#stored.add(hash);
  }

  /** The program of a plan that is at hand. */
  keep(hash: string, plan: Plan, functions: ReadonlyMap<string, PlanFunction>): Program {
    if (functions.size > 0) return compileProgram(plan, functions);
    const kept = this.#programs.get(hash);
    if (kept !== undefined) return kept;
    const program = compileProgram(plan);
    if (this.#programs.size >= this.#size) {
      for (const oldest of this.#programs.keys()) {
        this.#programs.delete(oldest);
        break;
      }
    }
    this.#programs.set(hash, program);
    return program;
  }

  /** The program of a run that is in the log. @throws Error when its plan, or a function of it, is not to be found */
  async of(pin: PlanPin): Promise<Program> {
    const kept = this.#programs.get(pin.planHash);
    if (kept !== undefined) return kept;
    const plan = await this.#plans.get(pin.planHash);
    if (plan === null) throw new Error(`Cannot find plan "${pin.planHash}" of run ${pin.runId}`);
    const functions = JSON.stringify(plan).includes('"$fn":')
      ? await this.#functions.functions(pin.workflow, pin.version, pin.input)
      : NO_FUNCTIONS;
    return this.keep(pin.planHash, plan, functions);
  }
}
