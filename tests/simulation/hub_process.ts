/**
 * One life of a hub: an engine, its lease, and the border through which everything reaches it. What arrives at a dead process is
 * lost; what arrives at a frozen one (SIGSTOP, a long pause of the machine) waits, and comes all at once when it thaws.
 */
import { type Clock, type DispatchedCall, Engine, FencedError, type Ownership } from "../../engine/mod.ts";
import { acquireMemoryLease, createMemoryLog } from "../../engine/memory/mod.ts";
import { adversaryLease, adversaryLog } from "./durable_log.ts";
import { SimulatedDispatcher } from "./dispatcher.ts";
import type { Writer } from "./checker.ts";
import { MAX_VALUE } from "./model/apply_event.ts";
import type { World } from "./world.ts";

/** Ms a lease lasts; it is renewed three times as often. */
export const LEASE_MS = 1_000;

export class HubProcess implements Writer {
  readonly hubId: string;
  readonly epoch: number;
  readonly name: string;
  readonly engine: Engine;
  readonly lease: Ownership;
  readonly clock: Clock;
  dead = false;
  frozen = false;
  #draining = false;
  /** Questions to the store without an answer. */
  #asking = 0;
  readonly #world: World;
  readonly #held: (() => void)[] = [];
  /** Ms that this machine's clock is ahead. */
  readonly #skew: number;
  readonly #dispatcher: SimulatedDispatcher;
  #runIds = 0;

  constructor(world: World, hubId: string) {
    this.#world = world;
    this.hubId = hubId;
    this.#skew = world.chance.is(0.3) ? world.chance.int(-500, 500) : 0;
    const bare = acquireMemoryLease(world.store, { hubId, ttlMs: LEASE_MS, now: () => world.schedule.now });
    this.epoch = bare.epoch;
    this.name = `${hubId}.${this.epoch}`;
    world.note(`start ${this.name} skew ${this.#skew}`);
    world.checker.acquired(this, world.schedule.now + LEASE_MS);
    this.clock = world.mutant.clock(this.#clock(), world);
    this.lease = adversaryLease(world, this, bare);
    this.#dispatcher = new SimulatedDispatcher(world, this);
    const log = adversaryLog(world, this, world.mutant.log(createMemoryLog(world.store, bare), world, this));
    const gate = world.gates.of(this, this.clock);
    this.engine = new Engine({
      ...(gate !== undefined && { gate }),
      log: world.mutant.outerLog(log, world),
      plans: {
        put: (hash) => this.ask(() => Promise.resolve(world.storePlan(hash))),
        get: (hash) => this.ask(() => Promise.resolve(world.mutant.plan(world.plans.get(hash) ?? null))),
      },
      functions: { functions: () => Promise.reject(new Error("The simulation writes no functions")) },
      dispatcher: world.mutant.dispatcher(this.#dispatcher, world),
      clock: this.clock,
      ids: {
        runId: () => `${this.name}-${++this.#runIds}`,
        requestId: (runId, key, attempt) => `${runId}/${key}/${attempt}`,
      },
      random: world.chance.unit,
      limits: {
        value: { maxBytes: MAX_VALUE, maxDepth: 64 },
        ...(world.profile.maxInFlight !== null && { maxInFlight: world.profile.maxInFlight }),
        ...(world.profile.maxLiveRuns !== null && { maxLiveRuns: world.profile.maxLiveRuns }),
      },
      onCommitted: (events) => world.guard(() => world.checker.published(events, this)),
      onFenced: () => {
        world.guard(() => world.checker.fenced(this));
        this.fenced();
      },
    });
  }

  get now(): number {
    return this.#world.schedule.now + this.#skew;
  }

  get alive(): boolean {
    return !this.dead && !this.frozen;
  }

  boot(): void {
    this.tick();
    void this.claim();
  }

  #clock(): Clock {
    const { schedule } = this.#world;
    return {
      now: () => this.now,
      at: (due, callback) => {
        let wanted = true;
        const cancel = schedule.in(due - this.now, () => this.deliver(() => void (wanted && callback())));
        return () => {
          wanted = false;
          cancel();
        };
      },
      afterTurn: (callback) => void schedule.in(0, () => this.deliver(callback)),
    };
  }

  /** Something arrives from outside. */
  deliver(what: () => void): void {
    if (this.dead) return;
    if (this.frozen || this.#held.length > 0) this.#held.push(what);
    else what();
  }

  /** Something arrives after a while. */
  later(what: () => void): void {
    const { schedule, profile } = this.#world;
    schedule.in(this.#world.delay(profile.commitMs), () => this.deliver(what));
  }

  /** A question to the store: there, and back. */
  ask<T>(what: () => Promise<T>): Promise<T> {
    const world = this.#world;
    this.#asking++;
    return new Promise<T>((resolve, reject) => {
      const settle = (tell: () => void) =>
        this.later(() => {
          this.#asking--;
          tell();
        });
      world.schedule.in(world.delay(world.profile.commitMs), () => {
        if (this.dead) return;
        what().then((value) => settle(() => resolve(value)), (error) => settle(() => reject(error)));
      });
    });
  }

  /** Keeps the lease and looks for runs of the dead. */
  tick(): void {
    const { schedule, chance } = this.#world;
    schedule.in(chance.int(200, 400), () =>
      this.deliver(() => {
        this.tick();
        void this.renew();
        if (chance.is(0.5) && !this.#draining) void this.claim();
      }), true);
  }

  async renew(): Promise<void> {
    try {
      await this.lease.renew();
    } catch (error) {
      if (error instanceof FencedError) this.fenced();
      else this.#world.broken(error);
    }
  }

  /** Takes up runs without an owner. Gives how many. */
  async claim(): Promise<void> {
    try {
      for (const runId of await this.lease.claim(100)) await this.engine.adopt(runId);
    } catch (error) {
      if (error instanceof FencedError) this.fenced();
      else this.#world.broken(error);
    }
  }

  /** The lease is gone: the process ends, as the hub's would, and something starts it again. */
  fenced(): void {
    if (this.dead) return;
    this.#world.note(`fenced ${this.name}`);
    void this.engine.stop(0);
    this.#world.schedule.in(0, () => this.crash());
  }

  /** Ends as it does on SIGTERM: what is under way may end, everybody gets an answer, the runs are left to others. */
  async drain(): Promise<void> {
    if (!this.alive || this.#draining) return;
    const world = this.#world;
    this.#draining = true;
    const graceMs = world.chance.pick([0, 100, 2_000]);
    world.note(`drain ${this.name} ${graceMs}`);
    await this.engine.stop(graceMs);
    if (this.dead) return;
    world.note(`drained ${this.name}`);
    await this.lease.release();
    this.#exit();
  }

  /** What was on its way to the engine gets its answer before the process ends. */
  #exit(): void {
    this.#world.schedule.in(1, () =>
      this.deliver(() => {
        if (this.#asking > 0 || this.#held.length > 0) return this.#exit();
        this.#world.guard(() => this.#world.client.checkAnswered(this));
        this.crash();
      }));
  }

  crash(): void {
    if (this.dead) return;
    this.#world.note(`crash ${this.name}`);
    this.dead = true;
    this.#held.length = 0;
    this.#dispatcher.die();
    this.#world.checker.died(this);
    this.#world.hubDied(this);
  }

  freeze(): void {
    if (this.dead || this.frozen) return;
    const { schedule, chance } = this.#world;
    const ms = chance.pick([50, 500, LEASE_MS + 500, 3 * LEASE_MS]);
    this.#world.note(`freeze ${this.name} ${ms}`);
    this.frozen = true;
    schedule.in(ms, () => this.thaw());
  }

  thaw(): void {
    if (!this.frozen || this.dead) return;
    this.#world.note(`thaw ${this.name}`);
    this.frozen = false;
    this.#catchUp();
  }

  /** One by one, as an event loop would: promise jobs run in between. */
  #catchUp(): void {
    if (!this.alive) return;
    if (this.#held.length === 0) return;
    this.#world.schedule.in(0, () => {
      if (!this.alive) return;
      this.#held.shift()?.();
      this.#catchUp();
    });
  }

  /** Calls that this hub has sent and that have not been answered. */
  get calls(): readonly DispatchedCall[] {
    return this.#dispatcher.calls;
  }
}
