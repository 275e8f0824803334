/**
 * Knows what was promised and what was done, and compares: acknowledgements against the log, the log against the model, what
 * handlers see against both. Sees the log only as it becomes durable. Every method throws a {@linkcode Violation} when an
 * invariant of docs/architecture.md is broken.
 */
import type { Plan } from "@alkdev/flowgraph";
import type { DispatchedCall } from "../../engine/ports.ts";
import type { RunEvent } from "../../engine/events.ts";
import { type History, type Tally, Violation } from "./history.ts";
import { applyEvent, isOverdue } from "./model/apply_event.ts";
import { type Instance, pausedAround } from "./model/instance.ts";
import { RunModel } from "./model/run_model.ts";
import { same } from "./model/same.ts";
import { fill } from "./model/values.ts";

/** Who writes: one life of one hub. */
export interface Writer {
  readonly name: string;
  readonly hubId: string;
  readonly epoch: number;
}

/** A call that a hub has dispatched and that has not been answered. */
export interface OpenCall {
  readonly call: DispatchedCall;
  readonly writer: Writer;
}

export class Checker {
  readonly runs: Map<string, RunModel> = new Map();
  readonly texts: Map<string, string[]> = new Map();
  /** Run -> the life of the hub that may write to it. */
  readonly #owners: Map<string, Writer> = new Map();
  /** Hub -> its latest epoch, null once its lease was taken from it, and until when it holds. */
  readonly #leases: Map<string, { readonly epoch: number | null; readonly until: number }> = new Map();
  readonly #keys: Map<string, string> = new Map();
  readonly #open: Set<OpenCall> = new Set();
  /** Hub's life and run -> seq of the last event it published. */
  readonly #published: Map<string, number> = new Map();
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #history: History;
  readonly #tally: Tally;
  readonly #now: () => number;
  readonly #gates: { checkCalls(open: readonly DispatchedCall[]): void; checkRuns(models: Iterable<RunModel>): void };
  /** What clients have asked for, whatever became of it: nothing else may be in the log. */
  readonly requested: Set<string> = new Set();
  /** Handlers started by a hub that had lost the run and did not know it yet: it can write nothing, but it can still do. */
  staleStarts = 0;
  events = 0;

  constructor(
    params: {
      readonly plans: ReadonlyMap<string, Plan>;
      readonly history: History;
      readonly tally: Tally;
      readonly now: () => number;
      /** Flow control, of which it is told: the calls at work of hubs that drive their runs, and all runs. */
      readonly gates: {
        checkCalls(open: readonly DispatchedCall[]): void;
        checkRuns(models: Iterable<RunModel>): void;
      };
    },
  ) {
    this.#plans = params.plans;
    this.#history = params.history;
    this.#tally = params.tally;
    this.#now = params.now;
    this.#gates = params.gates;
  }

  acquired(writer: Writer, until: number): void {
    this.#leases.set(writer.hubId, { epoch: writer.epoch, until });
  }

  renewed(writer: Writer, until: number): void {
    if (!this.holds(writer)) throw new Violation("I2", `${writer.name} renews a lease that is no longer its own`);
    this.#leases.set(writer.hubId, { epoch: writer.epoch, until });
  }

  released(writer: Writer): void {
    if (this.holds(writer)) this.#leases.set(writer.hubId, { epoch: null, until: this.#now() });
  }

  /** A claim takes the lease of whoever has let it run out, and with it the runs. */
  claimed(runs: readonly string[], writer: Writer): void {
    if (!this.holds(writer)) throw new Violation("I2", `${writer.name} claims without a lease`);
    for (const [hubId, { until }] of this.#leases) {
      if (hubId !== writer.hubId && until <= this.#now()) this.#leases.set(hubId, { epoch: null, until });
    }
    for (const runId of runs) {
      const before = this.#owners.get(runId);
      if (before !== undefined && this.holds(before)) {
        throw new Violation("I2", `${writer.name} is given a run of ${before.name}, which holds its lease`, runId);
      }
      this.#owners.set(runId, writer);
    }
  }

  holds(writer: Writer): boolean {
    return this.#leases.get(writer.hubId)?.epoch === writer.epoch;
  }

  owns(runId: string, writer: Writer): boolean {
    return this.#owners.get(runId) === writer && this.holds(writer);
  }

  /** An event has become durable. */
  appended(event: RunEvent, writer: Writer): void {
    this.events++;
    this.#tally.add(event.type);
    const text = JSON.stringify(event);
    this.#history.add(this.#now(), `log ${writer.name} ${text}`);
    if (!this.holds(writer)) {
      throw new Violation("I2", `${writer.name} writes ${event.type} without a lease`, event.runId);
    }
    if (event.type === "run.created" && event.seq === 1) this.#created(event, writer);
    else {
      const model = this.runs.get(event.runId);
      if (model === undefined) throw new Violation("log", `${event.type} of a run that was not created`, event.runId);
      if (!this.owns(event.runId, writer)) {
        throw new Violation("I2", `${writer.name} writes ${event.type} to a run that is not its own`, event.runId);
      }
      this.#requestedIfOutside(event);
      if (event.type === "node.reused") this.#reused(event);
      applyEvent(event.type === "run.migrated" ? this.#migrated(event) : model, event);
      if (event.type === "run.started") this.#gates.checkRuns(this.runs.values());
      const isAbort = event.type === "run.aborted" || event.type === "call.aborted" || event.type === "node.aborted";
      if (isAbort || (event.type === "run.failed" && isOverdue(event))) {
        this.#toldOf(event, writer);
      }
    }
    this.texts.get(event.runId)!.push(text);
  }

  #created(event: Extract<RunEvent, { type: "run.created" }>, writer: Writer): void {
    if (this.runs.has(event.runId)) throw new Violation("log", "A second run.created", event.runId);
    const plan = this.#plans.get(event.planHash);
    if (plan === undefined) {
      throw new Violation("log", `Plan ${event.planHash} was not stored before its run`, event.runId);
    }
    const { idempotencyKey } = event;
    if (idempotencyKey !== null) {
      const key = `${event.workflow}/${idempotencyKey}`;
      const holder = this.#keys.get(key);
      if (holder !== undefined) {
        throw new Violation("I1", `Key ${key} has two runs, the other is ${holder}`, event.runId);
      }
      this.#keys.set(key, event.runId);
    }
    this.runs.set(event.runId, new RunModel(plan, event));
    this.texts.set(event.runId, []);
    this.#owners.set(event.runId, writer);
  }

  /** A result that is taken over is one: of that node in that run, and not of a node that was to run again. */
  #reused(event: Extract<RunEvent, { type: "node.reused" }>): void {
    const { runId, key, source, data } = event;
    const origin = this.runs.get(source.runId)?.byKey.get(key);
    if (origin?.status !== "completed") throw new Violation("I3", `"${key}" of ${source.runId} gave no result`, runId);
    same(this.runs.get(runId)!, data, origin.data, `What "${key}" reuses`);
    if (this.runs.get(runId)!.created.lineage?.from?.includes(key)) {
      throw new Violation("I3", `"${key}" is reused, and was to run again`, runId);
    }
  }

  /** All that is in the log must be as legal under the other plan as it was under its own. */
  #migrated(event: Extract<RunEvent, { type: "run.migrated" }>): RunModel {
    const { runId, planHash } = event;
    const before = this.runs.get(runId)!;
    const plan = this.#plans.get(planHash);
    if (plan === undefined) throw new Violation("log", `Plan ${planHash} was not stored before its run moved`, runId);
    const model = new RunModel(plan, before.created);
    for (const text of this.texts.get(runId)!.slice(1)) {
      const event = JSON.parse(text) as RunEvent;
      // What was asked of a node and taken back binds no other plan to have it; what holds still is looked at below.
      const isAsked = event.type === "node.paused" || event.type === "node.resumed";
      if (isAsked && !model.byKey.has(event.key)) model.seq = event.seq;
      else applyEvent(model, event);
    }
    for (const { key } of before.pausedNodes) {
      if (model.byKey.get(key)?.paused !== true) model.fail("migrate", `"${key}" was paused, and is not after it`);
    }
    for (const { key, status, touched } of before.leaves()) {
      const now = model.byKey.get(key)?.status;
      if (touched && now !== status) model.fail("migrate", `"${key}" was ${status}, and is ${now} after it`);
    }
    for (const { call } of this.#open) {
      if (call.runId !== runId || call.signal.aborted) continue;
      const inst = model.at(call.nodeKey);
      if (!inst.ended) model.touch(inst, "A call that is carried over");
    }
    this.runs.set(runId, model);
    return model;
  }

  /** What only people (or a deadline) can cause must have been asked for. */
  #requestedIfOutside(event: RunEvent): void {
    const { runId } = event;
    const cause = event.type === "signal.received" || event.type === "signal.buffered"
      ? `${runId} signal ${JSON.stringify(event.payload)}`
      : event.type === "run.migrated"
      ? `${runId} run.migrated ${event.planHash}`
      : event.type === "run.paused" || event.type === "run.resumed"
      ? `${runId} ${event.type}`
      : event.type === "run.aborted" && event.by !== "hub"
      ? `${runId} abort ${event.reason}`
      : event.type === "node.aborted"
      ? `${runId} node.aborted ${event.key} ${event.reason}`
      : event.type === "node.paused" || event.type === "node.resumed" || event.type === "node.nudged"
      ? `${runId} ${event.type} ${event.key}`
      : event.type === "node.failed" && event.error.code === "GIVEN_UP"
      ? `${runId} give-up ${event.key}`
      : null;
    if (cause !== null && !this.requested.has(cause)) throw new Violation("log", `Nobody asked for ${cause}`, runId);
    if (event.type !== "run.aborted" || event.by !== "hub") return;
    const { deadline, budget } = this.runs.get(runId)!.created;
    if (event.code === "REPLACED") return this.#replaced(event);
    if (budget !== undefined) {
      throw new Violation("log", "Aborted by the hub, and its time was that of a budget", runId);
    }
    if (deadline === null || event.at < deadline) {
      throw new Violation("log", `Aborted by the hub at ${event.at}, the deadline is ${deadline}`, runId);
    }
  }

  /** Who comes later decides: a run that may be queued can be replaced by one of another version that replaces. */
  #replaced({ runId, reason }: Extract<RunEvent, { type: "run.aborted" }>): void {
    const { created, started } = this.runs.get(runId)!;
    const keys = created.gate?.lines.map(({ key }) => key) ?? [];
    const other = this.runs.get(reason?.replace("Replaced by run ", "") ?? "")?.created.gate;
    if (started) throw new Violation("log", "Replaced after it had started", runId);
    if (!other?.lines.some(({ key, replaces }) => replaces && keys.includes(key))) {
      throw new Violation("log", `${reason}, which replaces nothing`, runId);
    }
  }

  /** I5: by the time an abort is durable, every call it ends has been told. */
  #toldOf(
    event: Extract<RunEvent, { type: "run.aborted" | "run.failed" | "call.aborted" | "node.aborted" }>,
    writer: Writer,
  ): void {
    for (const { call, writer: caller } of this.#open) {
      if (caller !== writer || call.runId !== event.runId || call.signal.aborted) continue;
      if (event.type === "call.aborted" && event.requestId !== call.requestId) continue;
      if (event.type === "node.aborted" && !this.#endedWith(event, call.nodeKey)) continue;
      throw new Violation("I5", `${event.type} is durable, and "${call.nodeKey}" has not been told`, event.runId);
    }
  }

  /** Whether a call's node has ended with the node that was aborted. */
  #endedWith({ runId, key }: Extract<RunEvent, { type: "node.aborted" }>, nodeKey: string): boolean {
    const model = this.runs.get(runId)!;
    const top = model.at(key);
    for (let at: Instance | null = model.at(nodeKey); at !== null; at = at.parent) {
      if (at === top) return top.selfAborted;
    }
    return false;
  }

  /** A hub hands a call to its handler or spoke, at `hubNow` by its own clock. */
  started(call: DispatchedCall, writer: Writer, hubNow: number): OpenCall {
    const open = { call, writer };
    this.#open.add(open);
    const { runId } = call;
    const input = JSON.stringify(call.input);
    this.#history.add(
      this.#now(),
      `start ${writer.name} ${runId} ${call.nodeKey}/${call.attempt} ${call.operationId} ${input}`,
    );
    const model = this.runs.get(runId);
    if (model === undefined) throw new Violation("order", "A call is sent before its run is durable", runId);
    if (!this.owns(runId, writer)) {
      this.staleStarts++;
      return open;
    }
    this.#mayStart(model, call, writer);
    this.#gates.checkCalls(
      [...this.#open].filter((one) => this.owns(one.call.runId, one.writer) && !one.call.signal.aborted)
        .map((one) => one.call),
    );
    const { running, retryAt } = model.at(call.nodeKey);
    if (!running && retryAt !== null && hubNow < retryAt) {
      model.fail("retry", `"${call.nodeKey}" is tried again at ${hubNow}, it is due at ${retryAt}`);
    }
    return open;
  }

  #mayStart(model: RunModel, call: DispatchedCall, writer: Writer): void {
    const inst = model.at(call.nodeKey);
    if (model.ended) throw new Violation("I5", `"${call.nodeKey}" starts after the run was ${model.status}`, model.id);
    model.touch(inst, `Attempt ${call.attempt}`);
    if (inst.running && (inst.requestId !== call.requestId || inst.attempt !== call.attempt)) {
      model.fail("I2", `"${call.nodeKey}" is sent as ${call.requestId}, the log has ${inst.requestId}`);
    }
    if (!inst.running && call.attempt !== inst.attempt + 1) {
      model.fail("I2", `Attempt ${call.attempt} of "${call.nodeKey}" starts after attempt ${inst.attempt}`);
    }
    for (const other of this.#open) {
      if (other.call === call || other.writer !== writer || other.call.runId !== call.runId) continue;
      if (other.call.nodeKey !== call.nodeKey || other.call.signal.aborted) continue;
      model.fail("I2", `"${call.nodeKey}" is under way twice in ${writer.name}`);
    }
    const { node } = inst;
    const wanted = node.kind === "operation" ? fill(model.scope, inst.frame, node.input) : null;
    same(model, call.input, wanted, `What "${call.nodeKey}" is given`);
    const resumeAsked = this.requested.has(`${model.id} run.resumed`);
    if (model.status === "paused" && !inst.running && !resumeAsked) {
      model.fail("pause", `"${call.nodeKey}" starts though the run is paused`);
    }
    const paused = pausedAround(inst);
    if (paused !== null && !inst.running && !this.requested.has(`${model.id} node.resumed ${paused.key}`)) {
      model.fail("pause", `"${call.nodeKey}" starts though "${paused.key}" is paused`);
    }
  }

  /** The handler has answered, or its hub is dead. */
  settled(open: OpenCall): void {
    this.#open.delete(open);
  }

  died(writer: Writer): void {
    for (const open of this.#open) if (open.writer === writer) this.#open.delete(open);
  }

  /** What a hub tells the world is durable, in order, and told once. */
  published(events: readonly RunEvent[], writer: Writer): void {
    for (const event of events) {
      const key = `${writer.name} ${event.runId}`;
      const before = this.#published.get(key);
      if (before !== undefined && event.seq !== before + 1) {
        throw new Violation("publish", `${writer.name} publishes seq ${event.seq} after ${before}`, event.runId);
      }
      this.#published.set(key, event.seq);
      if (this.texts.get(event.runId)?.[event.seq - 1] !== JSON.stringify(event)) {
        throw new Violation(
          "I1",
          `${writer.name} publishes an event that is not in the log: ${event.type}`,
          event.runId,
        );
      }
    }
  }

  /** E3: a fenced hub stops all that it does. */
  fenced(writer: Writer): void {
    if (this.holds(writer)) throw new Violation("I2", `${writer.name} was fenced though it holds its lease`);
    for (const { call, writer: caller } of this.#open) {
      if (caller === writer && !call.signal.aborted) {
        throw new Violation("I5", `${writer.name} is fenced, and "${call.nodeKey}" has not been told`, call.runId);
      }
    }
  }

  /** I1: what a client was told is in the log. */
  acknowledged(what: string, runId: string, check: (model: RunModel) => boolean): void {
    this.#history.add(this.#now(), `ack ${runId} ${what}`);
    const model = this.runs.get(runId);
    if (model === undefined || !check(model)) {
      throw new Violation("I1", `${what} was acknowledged and is not in the log`, runId);
    }
  }

  /** Whether the log, read again, is what was seen to become durable. */
  unchanged(runId: string, events: readonly RunEvent[]): void {
    const seen = this.texts.get(runId) ?? [];
    if (events.length !== seen.length) {
      throw new Violation("I1", `The log has ${events.length} events, ${seen.length} became durable`, runId);
    }
    events.forEach((event, i) => {
      if (JSON.stringify(event) !== seen[i]) throw new Violation("I1", `Event ${i + 1} has changed`, runId);
    });
  }

  /** Waits of a run that a person can end: the only thing that may keep a quiet run alive, besides a pause (I4). */
  answerable(runId: string): readonly { readonly key: string; readonly name: string }[] {
    const found: { key: string; name: string }[] = [];
    for (const leaf of this.runs.get(runId)?.leaves() ?? []) {
      if (leaf.node.kind === "signal" && leaf.waiting && leaf.status === "open") {
        found.push({ key: leaf.key, name: leaf.node.signal });
      }
    }
    return found;
  }
}
