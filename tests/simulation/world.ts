/**
 * One simulated world under one seed: hubs over one log, a spoke behind a bad network, people, and faults. Time is virtual, and
 * everything that happens is taken from one heap, so that a seed is a history.
 */
import type { Plan } from "@alkdev/flowgraph";
import { FencedError } from "../../engine/mod.ts";
import { MemoryStore } from "../../engine/memory/mod.ts";
import { Checker } from "./checker.ts";
import { Client } from "./client.ts";
import { Gates } from "./gates.ts";
import { History, Tally, Violation } from "./history.ts";
import { HubProcess } from "./hub_process.ts";
import { type Mutant, SOUND } from "./mutant.ts";
import { drawProfile, type Profile } from "./profile.ts";
import { Chance } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { foldedSnapshot, snapshot } from "./snapshot.ts";
import { Network } from "./spoke.ts";
import { randomWorkflow, type SimulatedWorkflow } from "./workflows.ts";

/** Steps after which a world that should be quiet is said never to become so. */
const MAX_STEPS = 120_000;
/** Promise jobs that a step may cause in a row before the next one: more than any chain of awaits in the engine. */
const JOBS = 12;

export class World {
  readonly chance: Chance;
  readonly schedule: Schedule;
  readonly store: MemoryStore = new MemoryStore();
  readonly plans: Map<string, Plan> = new Map();
  readonly history: History;
  readonly tally: Tally = new Tally();
  readonly checker: Checker;
  readonly network: Network;
  readonly client: Client;
  readonly profile: Profile;
  readonly gates: Gates;
  readonly workflows: readonly SimulatedWorkflow[];
  readonly mutant: Mutant;
  hubs: HubProcess[] = [];
  /** While faults happen. */
  chaos = true;
  faultsLeft: number;
  steps = 0;
  #broken: unknown = null;

  constructor(seed: number, options: { readonly keepHistory?: boolean; readonly mutant?: Mutant } = {}) {
    this.chance = new Chance(seed);
    this.schedule = new Schedule(this.chance);
    this.history = new History(options.keepHistory === true);
    this.mutant = options.mutant ?? SOUND;
    this.checker = new Checker({
      plans: this.plans,
      history: this.history,
      tally: this.tally,
      now: () => this.schedule.now,
      gates: {
        checkCalls: (open) => this.gates.checkCalls(open),
        checkRuns: (models) => this.gates.checkRuns(models),
      },
    });
    this.profile = drawProfile(this.chance);
    this.faultsLeft = this.profile.commitFaults;
    this.network = new Network(this);
    this.client = new Client(this);
    this.gates = new Gates(this, seed);
    this.workflows = Array.from(
      { length: this.profile.workflows },
      (_, i) => this.gates.keyed(randomWorkflow(this.chance, `w${i}`, this.profile.leaves)),
    );
    this.note(`profile ${JSON.stringify(this.profile)}`);
    for (const { name, template } of this.workflows) this.note(`workflow ${name} ${template}`);
  }

  note(line: string): void {
    this.tally.add(
      line.startsWith("fault") ? `fault ${line.slice(line.lastIndexOf(" ") + 1)}` : line.slice(0, line.indexOf(" ")),
    );
    this.history.add(this.schedule.now, line);
  }

  /** Stores a plan as its workflow has it, whatever an engine thinks it is. */
  storePlan(hash: string): void {
    const workflow = this.workflows.flatMap((one) => [one, ...one.variants]).find(({ planHash }) => planHash === hash);
    if (workflow === undefined) throw new Error(`No workflow has plan "${hash}"`);
    this.plans.set(hash, workflow.plan);
  }

  /** Whole milliseconds up to `most`, often none. */
  delay(most: number): number {
    return most === 0 || this.chance.is(0.3) ? 0 : this.chance.int(0, most);
  }

  /** Something is wrong: the run of the world ends at the next step. */
  broken(error: unknown): void {
    this.#broken ??= error;
  }

  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.broken(error);
    }
  }

  boot(hubId: string): void {
    const hub = new HubProcess(this, hubId);
    this.hubs.push(hub);
    hub.boot();
  }

  hubDied(hub: HubProcess): void {
    this.hubs = this.hubs.filter((one) => one !== hub);
    if (this.chaos && this.chance.is(0.2)) return; // not again before the chaos is over
    // Not beside another process of the same name: the two would take the lease from each other for ever.
    this.schedule.in(this.chance.pick([0, 5, 100, 1_500]), () => {
      if (!this.hubs.some((one) => one.hubId === hub.hubId)) this.boot(hub.hubId);
    });
  }

  /** The whole story. @throws Violation */
  async run(): Promise<void> {
    for (let i = 0; i < this.profile.hubs; i++) this.boot(`hub${i}`);
    this.#planChaos();
    await this.#drain();
    this.chaos = false;
    await this.#heal();
    if (this.profile.restartAtEnd) {
      for (const hub of [...this.hubs]) hub.crash();
      await this.#heal();
    }
    await this.#finish();
    this.#checkEnd();
  }

  #planChaos(): void {
    const { chance, schedule, profile } = this;
    for (let i = 0; i < profile.requests; i++) {
      schedule.in(i === 0 ? 0 : chance.int(0, profile.horizonMs), () => this.client.act());
    }
    for (let i = 0; i < profile.plannedFaults; i++) {
      schedule.in(chance.int(0, profile.horizonMs), () => this.#fault());
    }
  }

  #fault(): void {
    const { chance, hubs } = this;
    const hub = hubs.length > 0 ? chance.pick(hubs) : null;
    switch (chance.weighted({ crash: 4, freeze: 4, jump: 2, spoke: 2, rival: 2, drain: 2 })) {
      case "crash":
        return hub?.crash();
      case "freeze":
        return hub?.freeze();
      case "drain":
        return void hub?.drain().catch((error) => error instanceof FencedError ? hub.crash() : this.broken(error));
      case "spoke":
        return this.network.restart();
      case "jump": {
        const ms = chance.pick([100, 2_000, 100_000]);
        this.note(`clock jumps ${ms}`);
        this.schedule.now += ms;
        return;
      }
      case "rival": // a second process with the same hub id, before the first has gone
        if (hub === null) return;
        this.note(`rival of ${hub.name}`);
        return this.boot(hub.hubId);
    }
  }

  async #step(): Promise<boolean> {
    if (++this.steps > MAX_STEPS) throw new Violation("I4", `Still not quiet after ${MAX_STEPS} steps`);
    if (!this.schedule.step()) return false;
    for (let i = 0; i < JOBS; i++) await null;
    if (this.#broken !== null) throw this.#broken;
    if (this.chance.is(0.04)) this.#compareStates();
    return true;
  }

  async #drain(): Promise<void> {
    while (this.schedule.foreground > 0 && await this.#step());
  }

  /** Everything runs again, and every run has found a hub. */
  async #heal(): Promise<void> {
    await this.#drain();
    for (const hub of this.hubs) hub.thaw();
    if (this.hubs.length === 0) this.boot("hub0");
    await this.#drain();
    const stale = () => this.hubs.some((hub) => !this.checker.holds(hub)); // it has yet to find out
    const waits = async () => this.#homeless() !== null || stale() || await this.gates.isBusy();
    for (let i = 0; i < (this.gates.isOn ? 4_000 : 200) && await waits(); i++) {
      await this.#step();
      await this.#drain();
    }
    await this.#checkQuiet();
  }

  /** Is there a run that has not ended and that no hub drives? */
  #homeless(): string | null {
    for (const [runId, model] of this.checker.runs) {
      if (!model.ended && !this.hubs.some((hub) => hub.alive && hub.engine.live(runId) !== null)) return runId;
    }
    return null;
  }

  /** I4: what stands still is over, paused, or waits for somebody. */
  async #checkQuiet(): Promise<void> {
    this.client.checkAnswered();
    const homeless = this.#homeless();
    if (homeless !== null) throw new Violation("I4", "No hub drives the run", homeless);
    for (const [runId, model] of this.checker.runs) {
      if (model.ended || model.status === "paused" || this.checker.answerable(runId).length > 0) continue;
      if (model.pausedNodes.length > 0) continue;
      if (await this.gates.waits(runId)) continue;
      throw new Violation("I4", "The run stands still, and waits for nothing", runId);
    }
    this.#compareStates();
  }

  /** Resumes and answers until every run has ended. */
  async #finish(): Promise<void> {
    // Some questions miss, on purpose; but not twenty in a row.
    for (let idle = 0, before = -1; idle < 20; idle = this.checker.events === before ? idle + 1 : 0) {
      before = this.checker.events;
      const open = [...this.checker.runs.values()].filter((model) => !model.ended);
      if (open.length === 0) return;
      for (const model of open) {
        const paused = model.pausedNodes[0];
        if (model.status === "paused") this.client.setPaused(model, false);
        else if (paused !== undefined) this.client.askOfNode(model, paused, "resume");
        else this.client.answer(model);
      }
      await this.#heal();
    }
    throw new Violation("I4", "The runs do not end though everything is answered");
  }

  /** I6: what a hub holds in memory is what the log alone gives. */
  #compareStates(): void {
    for (const hub of this.hubs) {
      if (!hub.alive) continue;
      for (const [runId, model] of this.checker.runs) {
        const live = hub.engine.live(runId);
        if (live === null || live.state.seq !== model.seq || !this.checker.owns(runId, hub)) continue;
        const plan = this.mutant.plan(model.scope.plan);
        const [held, folded] = [snapshot(live.state), foldedSnapshot(plan, this.store.runs.get(runId)!.events)];
        if (held !== folded) {
          throw new Violation("I6", `${hub.name} holds\n  ${held}\nthe log gives\n  ${folded}`, runId);
        }
      }
    }
  }

  #checkEnd(): void {
    this.client.checkWaiters();
    for (const [runId, model] of this.checker.runs) {
      const events = this.store.runs.get(runId)?.events ?? [];
      this.checker.unchanged(runId, events);
      const plan = model.scope.plan;
      if (foldedSnapshot(plan, events) !== foldedSnapshot(plan, JSON.parse(JSON.stringify(events)))) {
        throw new Violation("I6", "The same log gives two states", runId);
      }
    }
    for (const hub of this.hubs) {
      const { runs, inFlight, queued, backlog } = hub.engine.stats();
      if (runs + queued + backlog > 0) {
        throw new Violation("I4", `${hub.name} still holds ${JSON.stringify({ runs, inFlight, queued, backlog })}`);
      }
    }
  }
}
