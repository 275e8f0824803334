/** People: they start, abort, pause, resume and answer, and remember what they were told. */
import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import { compileProgram, foldRun, InvalidPlaces, locate, markFrom, planPin, reusedResults } from "../../engine/mod.ts";
import { Violation } from "./history.ts";
import type { HubProcess } from "./hub_process.ts";
import type { Instance } from "./model/instance.ts";
import type { RunModel } from "./model/run_model.ts";
import type { World } from "./world.ts";

const CALLER = { identity: { id: "someone", scopes: [] }, orgId: "org" };

export class Client {
  readonly #world: World;
  /** Requests that have not been answered, by the hub they went to. */
  readonly #pending: Map<HubProcess, Set<string>> = new Map();
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** One request at random. */
  act(): void {
    const { chance, checker } = this.#world;
    const runs = [...checker.runs.values()].filter((run) => !run.ended);
    const run = runs.length > 0 ? chance.pick(runs) : null;
    const what = run === null ? "start" : chance.weighted({
      ...{ start: 40, abort: 10, pause: 10, resume: 10, answer: 24 },
      ...{ node: 18, retry: 16, migrate: 14 },
    });
    if (what === "start" || run === null) return chance.is(0.4) ? this.fork() : this.start();
    if (what === "abort") return this.abort(run);
    if (what === "migrate") return this.migrate(run);
    if (what === "answer") return this.answer(run);
    if (what === "node") return this.actOnNode(run);
    if (what === "retry") return this.actOnAttempt(runs.find((one) => awaitsAttempt(one).length > 0) ?? run);
    this.setPaused(run, what === "pause");
  }

  start(): void {
    const world = this.#world;
    const { chance } = world;
    const hub = this.#anyHub();
    if (hub === null) return;
    const workflow = chance.pick(world.workflows);
    const input = {
      flag: chance.pick<Json>([true, false, "no"]),
      n: chance.int(0, 9),
      items: chance.pick<Json>([[1, 2], [], "none"]),
    };
    const key = chance.is(0.4) ? `key-${chance.int(0, 1)}` : null;
    const deadline = chance.is(0.08) ? hub.now + chance.int(0, 1_500) : null;
    // The time of a budget, of this run's or of one above it, ends it in another way.
    const wallMs = deadline !== null && deadline % 2 === 0 ? Math.max(1, deadline - hub.now) : null;
    const budget = { limits: { wallMs: wallMs ?? 0 }, deadline, level: 0 };
    this.#ask(hub, `start ${workflow.name} ${key}`, () =>
      hub.engine.start({
        workflow: workflow.name,
        version: "v1",
        planHash: workflow.planHash,
        plan: world.mutant.plan(workflow.plan),
        functions: new Map(),
        input,
        caller: CALLER,
        ...world.gates.draw(hub.now),
        ...(key !== null && { idempotencyKey: key }),
        ...(deadline !== null && { deadline }),
        ...(wallMs !== null && {
          budget: wallMs % 3 === 0
            ? { own: null, above: [{ ...budget, runId: "a run above" }] }
            : { own: budget, above: [] },
        }),
      }), ({ runId, duplicate }) => {
      world.checker.acknowledged(
        `start duplicate=${duplicate}`,
        runId,
        ({ created }) =>
          created.workflow === workflow.name && created.idempotencyKey === key &&
          (duplicate || JSON.stringify(created.input) === JSON.stringify(input)),
      );
      this.#watch(hub, runId);
    });
  }

  /** Waits for the end of a run, as a request with `wait` does. */
  #watch(hub: HubProcess, runId: string): void {
    const done = hub.engine.done(runId);
    if (done === null) return;
    this.#ask(hub, `wait ${runId}`, () => done, (event) => {
      if (event === null) return;
      this.#world.checker.acknowledged(`end ${event.type}`, runId, () => this.#has(runId, JSON.stringify(event)));
    });
  }

  /** A new run that takes over what another had completed at some time, from some node on. */
  fork(): void {
    const world = this.#world;
    const { chance, checker } = world;
    // In limited containers a result is used when its turn comes, which the model does not follow.
    const parents = [...checker.runs.values()].filter(({ scope }) =>
      !scope.plan.nodes.some((node) => "maxConcurrency" in node)
    );
    const hub = this.#anyHub();
    if (parents.length === 0 || hub === null) return this.start();
    const parent = chance.pick(parents);
    const all = world.store.runs.get(parent.id)?.events ?? [];
    // A past before a migration is one under another plan: that of the newest is taken, so from there on.
    const least = all.findLastIndex(({ type }) => type === "run.migrated") + 1;
    const events = all.slice(0, chance.int(Math.max(1, least), Math.max(1, all.length)));
    const state = foldRun(compileProgram(parent.scope.plan), events);
    const invalid = new InvalidPlaces(state);
    invalid.addUnfinished();
    const key = chance.is(0.6) ? chance.pick([...parent.byKey.keys()]) : null;
    const inState = key !== null && locate(state, key) !== null;
    if (key !== null && inState) markFrom(state, invalid, key, "/from");
    const reuse = reusedResults(state, { runId: parent.id, invalid });
    const { workflow, version, planHash } = planPin(events)!;
    const { input } = parent.created;
    world.storePlan(planHash);
    this.#ask(hub, `fork ${parent.id} from ${key} with ${reuse.length}`, () =>
      hub.engine.start({
        workflow,
        version,
        planHash,
        plan: world.mutant.plan(parent.scope.plan),
        functions: new Map(),
        input,
        caller: CALLER,
        lineage: { runId: parent.id, kind: "fork", from: key !== null && inState ? [key] : null },
        reuse,
      }), ({ runId }) => {
      world.checker.acknowledged("fork", runId, ({ created }) => created.lineage?.runId === parent.id);
      const known = world.checker.texts.get(runId)?.filter((text) => text.includes(`"type":"node.reused"`)).length ?? 0;
      world.checker.acknowledged(`reuse ${reuse.length}`, runId, () => known === reuse.length);
      this.#watch(hub, runId);
    });
  }

  /** To another version, or back. */
  migrate(run: RunModel): void {
    const world = this.#world;
    const hub = this.#hubOf(run.id);
    const workflow = world.workflows.find(({ name }) => name === run.created.workflow);
    if (hub === null || workflow === undefined) return;
    const { version, planHash } = world.chance.pick([{ version: "v1", ...workflow }, ...workflow.variants]);
    world.storePlan(planHash);
    world.checker.requested.add(`${run.id} run.migrated ${planHash}`);
    this.#ask(
      hub,
      `migrate ${run.id} ${planHash}`,
      () => hub.engine.migrate(run.id, { version, planHash, by: "someone" }),
      (refusals) => {
        if (refusals?.length !== 0) return;
        world.checker.acknowledged("migrate", run.id, () => this.#has(run.id, `"planHash":"${planHash}"`));
      },
    );
  }

  abort(run: RunModel): void {
    const hub = this.#hubOf(run.id);
    if (hub === null) return;
    const reason = `reason-${this.#count++}`;
    this.#world.checker.requested.add(`${run.id} abort ${reason}`);
    this.#ask(hub, `abort ${run.id}`, () => hub.engine.abort(run.id, { reason, by: "someone" }), (told) => {
      if (told) this.#world.checker.acknowledged("abort", run.id, (model) => model.ended);
    });
  }

  setPaused(run: RunModel, paused: boolean): void {
    const hub = this.#hubOf(run.id);
    if (hub === null) return;
    const type = paused ? "run.paused" : "run.resumed";
    this.#world.checker.requested.add(`${run.id} ${type}`);
    // What is so already needs no event.
    const changes = (hub.engine.live(run.id)?.state.status === "paused") !== paused;
    this.#ask(hub, `${type} ${run.id}`, () => hub.engine.setPaused(run.id, paused, "someone"), (told) => {
      if (!told || !changes) return;
      this.#world.checker.acknowledged(type, run.id, () => this.#has(run.id, `"type":"${type}"`));
    });
  }

  /** Aborts, pauses or resumes a node with all that is in it. */
  actOnNode(run: RunModel): void {
    const { chance } = this.#world;
    const paused = run.pausedNodes;
    if (paused.length > 0 && chance.is(0.4)) return this.askOfNode(run, chance.pick(paused), "resume");
    const nodes = [...run.byKey.values()].filter((inst) => !inst.ended && hasBegunAround(inst));
    if (nodes.length === 0) return;
    const type = chance.pick(["abort", "pause", "pause", "resume"] as const);
    const idle = nodes.filter((inst) => inst.status === "idle");
    this.askOfNode(run, chance.pick(idle.length > 0 && chance.is(0.5) ? idle : nodes), type);
  }

  /** Of a node that waits for its next attempt, mostly. */
  actOnAttempt(run: RunModel): void {
    const { chance } = this.#world;
    const all = [...run.leaves()];
    if (all.length === 0) return; // its root is a Map or Loop that has not begun
    const waiting = awaitsAttempt(run);
    const from = waiting.length > 0 && chance.is(0.9) ? waiting : all;
    this.askOfNode(run, chance.pick(from), chance.pick(["nudge", "nudge", "give-up"]));
  }

  askOfNode(run: RunModel, inst: Instance, type: "abort" | "pause" | "resume" | "nudge" | "give-up"): void {
    const world = this.#world;
    const hub = this.#hubOf(run.id);
    if (hub === null) return;
    const { key } = inst;
    const reason = `reason-${this.#count++}`;
    const cause = { abort: "node.aborted", pause: "node.paused", resume: "node.resumed", nudge: "node.nudged" };
    world.checker.requested.add(
      type === "give-up"
        ? `${run.id} give-up ${key}`
        : `${run.id} ${cause[type]} ${key}${type === "abort" ? ` ${reason}` : ""}`,
    );
    const act = type === "abort" ? { type, reason } as const : { type } as const;
    this.#ask(hub, `${type} ${run.id} ${key}`, () => hub.engine.actOnNode(run.id, { ...act, key, by: "someone" }), (
      told,
    ) => {
      if (told !== "done") return;
      world.checker.acknowledged(type, run.id, (model) => {
        if (type === "abort") return model.at(key).ended || model.at(key).doom !== null;
        if (type === "give-up") return this.#has(run.id, `"code":"GIVEN_UP"`);
        return type === "nudge" ? this.#has(run.id, `"node.nudged"`) : true;
      });
    });
  }

  answer(run: RunModel): void {
    const world = this.#world;
    const hub = this.#hubOf(run.id);
    if (hub === null) return;
    const open = world.checker.answerable(run.id);
    const one = open.length > 0 && world.chance.is(0.9) ? world.chance.pick(open) : null;
    const name = one === null ? this.#nameOf(run) : world.chance.is(0.5) ? one.key : one.name;
    const payload = { n: world.chance.int(0, 9), id: this.#count++ };
    world.checker.requested.add(`${run.id} signal ${JSON.stringify(payload)}`);
    this.#ask(
      hub,
      `answer ${run.id} ${name}`,
      () => hub.engine.answer(run.id, { name, payload, by: "someone" }),
      (told) => {
        if (told !== "answered" && told !== "kept") return;
        world.checker.acknowledged("signal", run.id, () => this.#has(run.id, JSON.stringify(payload)));
      },
    );
  }

  /** Of a signal that may come, or of none. */
  #nameOf(run: RunModel): string {
    const { chance } = this.#world;
    const signals = [...run.leaves()].filter(({ node, ended }) => node.kind === "signal" && !ended);
    const one = signals.length > 0 ? chance.pick(signals) : null;
    if (one?.node.kind !== "signal" || chance.is(0.2)) return chance.pick(["shared", "n1", "none"]);
    return chance.is(0.5) ? one.key : one.node.signal;
  }

  /** A request and its answer. A hub that dies answers nothing, and nobody can hold that against it. */
  #ask<T>(hub: HubProcess, what: string, send: () => Promise<T>, answered: (value: T) => void): void {
    const world = this.#world;
    const name = `${what} #${this.#count++}`;
    world.note(`ask ${hub.name} ${name}`);
    const pending = this.#pending.get(hub) ?? new Set();
    this.#pending.set(hub, pending.add(name));
    send().then((value) => {
      pending.delete(name);
      if (!hub.dead) world.guard(() => answered(value));
    }, (error) => {
      pending.delete(name);
      if (hub.dead) return;
      world.note(`refused ${name}: ${error instanceof Error ? error.message : error}`);
      if (!(error instanceof CallError)) world.broken(error);
    });
  }

  /** Every request to a hub that lives has been answered, but for those that wait for an end. Of one hub: those too. */
  checkAnswered(only: HubProcess | null = null): void {
    for (const [hub, pending] of this.#pending) {
      if (hub.dead || (only !== null && hub !== only)) continue;
      for (const what of pending) {
        if (only !== null || !what.startsWith("wait ")) {
          throw new Violation("I1", `${hub.name} never answered "${what}"`);
        }
      }
    }
  }

  /** Nobody waits any more: every run has ended. */
  checkWaiters(): void {
    for (const [hub, pending] of this.#pending) {
      if (hub.dead) continue;
      for (const what of pending) {
        throw new Violation("I1", `${hub.name} never answered "${what}", and every run has ended`);
      }
    }
  }

  #has(runId: string, part: string): boolean {
    return this.#world.checker.texts.get(runId)?.some((text) => text.includes(part)) ?? false;
  }

  #anyHub(): HubProcess | null {
    const alive = this.#world.hubs.filter((hub) => hub.alive);
    return alive.length === 0 ? null : this.#world.chance.pick(alive);
  }

  /** Mostly the one that drives the run. */
  #hubOf(runId: string): HubProcess | null {
    const { hubs, chance, chaos } = this.#world;
    const driver = hubs.find((hub) => hub.alive && hub.engine.live(runId) !== null);
    return driver !== undefined && (!chaos || chance.is(0.95)) ? driver : this.#anyHub();
  }
}

/** Nodes that wait for their next attempt. */
function awaitsAttempt(run: RunModel): readonly Instance[] {
  return [...run.leaves()].filter((inst) => !inst.ended && inst.retryAt !== null && !inst.running);
}

/**
 * Not inside what may still wait for a place in a limited Parallel: the model cannot tell whether that has begun, and an abort
 * of what has not begun comes later.
 */
function hasBegunAround(inst: Instance): boolean {
  for (let at = inst.parent; at !== null; at = at.parent) {
    const around = at.parent?.node;
    if (around?.kind === "parallel" && around.maxConcurrency !== undefined) return false;
  }
  return true;
}
