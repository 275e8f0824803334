/** Executes calls: local ones in the hub's own process, the others on a spoke over a network that loses things. */
import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { DispatchedCall, Dispatcher } from "../../engine/mod.ts";
import { behave, envelope } from "./behaviour.ts";
import type { OpenCall } from "./checker.ts";
import type { HubProcess } from "./hub_process.ts";
import type { Answer } from "./spoke.ts";
import type { World } from "./world.ts";

/** Ms after which a call without an answer is sent to its spoke again. */
const RESEND_MS = 120;

interface Pending {
  readonly open: OpenCall;
  readonly settle: (answer: Answer) => void;
}

export class SimulatedDispatcher implements Dispatcher {
  readonly #world: World;
  readonly #hub: HubProcess;
  readonly #pending: Map<DispatchedCall, Pending> = new Map();

  constructor(world: World, hub: HubProcess) {
    this.#world = world;
    this.#hub = hub;
  }

  get calls(): readonly DispatchedCall[] {
    return [...this.#pending.keys()];
  }

  dispatch(call: DispatchedCall): Promise<ResponseEnvelope> {
    const world = this.#world;
    if (this.#hub.dead) return new Promise(() => {});
    let open: OpenCall;
    try {
      open = world.checker.started(call, this.#hub, this.#hub.now);
    } catch (error) {
      world.broken(error);
      return new Promise(() => {});
    }
    return new Promise<ResponseEnvelope>((resolve, reject) => {
      const settle = (answer: Answer) => {
        if (!this.#pending.delete(call)) return;
        world.checker.settled(open);
        if ("error" in answer) reject(answer.error);
        else resolve(envelope(answer.data, call.operationId, world.schedule.now));
      };
      this.#pending.set(call, { open, settle });
      if (call.operationId.startsWith("local.")) this.#here(call, settle);
      else this.#onSpoke(call);
    });
  }

  /** In this process: it dies and freezes with it. */
  #here(call: DispatchedCall, settle: (answer: Answer) => void): void {
    const { schedule, chance } = this.#world;
    const { takes, heeds, outcome } = behave(chance, call.operationId);
    const finish = schedule.in(takes, () => this.#hub.deliver(() => settle(outcome)));
    // A handler may ask for its signal at once, or only when it has something to stop.
    const watch = () => {
      const stop = () => {
        finish();
        schedule.in(
          0,
          () => this.#hub.deliver(() => settle({ error: new CallError("ABORTED", "It was told to stop") })),
        );
      };
      if (call.signal.aborted) stop();
      else call.signal.addEventListener("abort", stop, { once: true });
    };
    if (!heeds) return;
    if (chance.is(0.5)) watch();
    else schedule.in(Math.min(takes, 1), () => this.#hub.deliver(() => void (this.#pending.has(call) && watch())));
  }

  #onSpoke(call: DispatchedCall): void {
    const { network } = this.#world;
    const { requestId } = call;
    const message = { requestId, operationId: call.operationId, runId: call.runId, nodeKey: call.nodeKey };
    const send = (): void => {
      const pending = this.#pending.get(call);
      if (pending === undefined) return;
      if (call.signal.aborted) {
        network.cancel(requestId);
        return pending.settle({ error: new CallError("ABORTED", "It was told to stop") });
      }
      network.call(message, (answer) => this.#hub.deliver(() => this.#pending.get(call)?.settle(answer)));
      this.#world.schedule.in(RESEND_MS, () => this.#hub.deliver(send));
    };
    call.signal.addEventListener("abort", () => network.cancel(requestId), { once: true });
    send();
  }

  die(): void {
    this.#pending.clear();
  }
}
