import { CallError, isResponseEnvelope } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { abortError, lostError, notOffered, toCallError } from "./call_errors.ts";
import { type Envelope, envelope, FrameError, isRecord } from "./envelope.ts";
import type { OfferDirectory } from "./offer_directory.ts";
import type { OfferedOperation } from "./offered_operation.ts";
import type { CallPlace, CallSink } from "./ports.ts";
import { type CallOwner, RemoteCall, requestText } from "./remote_call.ts";
import type { Spoke, SpokeLink } from "./spoke.ts";

export interface CallRouterOptions {
  readonly clock: Clock;
  /** How long a spoke may be away before its calls are given to another. */
  readonly graceMs: number;
  /** Calls that may wait for one operation. */
  readonly maxQueued: number;
  /** Calls whose spoke is lost fail at once. */
  readonly failsLost: boolean;
  /** False: nothing is sent to a spoke now. */
  readonly mayCall: () => boolean;
  /** True: spokes are not told of aborts, and get no waiting calls. */
  readonly isLeaving: () => boolean;
  /** A spoke will not come back. */
  readonly onGone: (spoke: Spoke, reason: string) => void;
}

/**
 * Which call is where. Owns every {@linkcode Spoke}'s status and every {@linkcode RemoteCall}; all of it is synchronous.
 *
 * 1. A call is in one queue, or in flight on one spoke, or settled.
 * 2. A call is settled once: by the outcome of the spoke that has it, by abort, by deadline or by loss. Later outcomes are
 *    dropped.
 * 3. `call.aborted` is sent once per aborted call, to the spoke that has it, at the latest when it comes back.
 */
export class CallRouter implements CallOwner {
  readonly #options: CallRouterOptions;
  readonly #offers: OfferDirectory;
  readonly #calls = new Map<string, RemoteCall>();
  #queued = 0;
  #order = 0;
  #assigned = 0;

  constructor(options: CallRouterOptions, offers: OfferDirectory) {
    this.#options = options;
    this.#offers = offers;
  }

  get inFlight(): number {
    return this.#calls.size - this.#queued;
  }

  get queued(): number {
    return this.#queued;
  }

  place(requestId: string): CallPlace | null {
    const remote = this.#calls.get(requestId);
    if (remote === undefined) return null;
    const { spoke } = remote;
    if (spoke === null) return { spokeId: null, spokeName: null, state: "queued" };
    return { spokeId: spoke.id, spokeName: spoke.record.name, state: spoke.link === null ? "reconnecting" : "running" };
  }

  // Calls

  submit(call: DispatchedCall, sink: CallSink, streaming: boolean): void {
    const { requestId } = call;
    const found = this.#offers.find(call.orgId, call.operationId, call.spoke);
    if (found === null || !found.operation.isOffered(found.wanted)) return sink.fail(notOffered(call));
    const { operation, wanted: { version } } = found;
    if (this.#calls.has(requestId)) {
      return sink.fail(new CallError("EXECUTION_ERROR", `Call "${requestId}" is already in flight`, { requestId }));
    }
    const remote = new RemoteCall(this, { call, operation, version, sink, streaming, order: ++this.#order });
    this.#calls.set(requestId, remote);
    remote.listen();
    if (remote.isSettled) return; // It was aborted already.
    this.#watchDeadline(remote);
    this.#place(remote);
  }

  /**
   * Takes what `spoke` says about a call that it was sent, in a message of about so many chars.
   *
   * @throws {FrameError} when it was never sent that call, or when the outcome has no form
   */
  outcome(spoke: Spoke, requestId: string, { type, payload }: Envelope, chars: number): void {
    const remote = spoke.inFlight.get(requestId);
    if (remote === undefined) {
      if (spoke.ended.has(requestId)) return;
      throw new FrameError(`Call "${requestId}" of "${type}" was not sent to this spoke`, requestId);
    }
    switch (type) {
      case "call.responded":
        return this.#responded(remote, payload["output"], chars);
      case "call.completed":
        this.#finish(remote);
        if (remote.streaming) return remote.sink.complete();
        return remote.sink.fail(new CallError("ABORTED", `Call "${requestId}" was completed without a response`));
      case "call.aborted":
        this.#finish(remote);
        return remote.sink.fail(new CallError("ABORTED", `Call "${requestId}" was aborted by its spoke`));
      default:
        this.#finish(remote);
        return remote.sink.fail(toCallError(payload));
    }
  }

  #responded(remote: RemoteCall, value: unknown, chars: number): void {
    // JSON drops a `data` that is undefined.
    const output = isRecord(value) && !("data" in value) ? { ...value, data: undefined } : value;
    if (!isResponseEnvelope(output)) {
      const { requestId, operationId } = remote.call;
      const message = `Output of operation "${operationId}" is not an envelope: wanted {data, meta: {source, …}}`;
      this.#release(remote);
      remote.sink.fail(new CallError("EXECUTION_ERROR", message, { operationId }));
      throw new FrameError(message, requestId);
    }
    if (!remote.streaming) this.#finish(remote);
    remote.sink.respond(output, chars);
  }

  /** Its caller wants it no more. */
  abort(remote: RemoteCall, reason: unknown): void {
    this.#end(remote, abortError(reason));
  }

  #watchDeadline(remote: RemoteCall): void {
    const { deadline } = remote.call;
    if (deadline === null) return;
    remote.cancelDeadline = this.#options.clock.at(deadline, () => {
      const { requestId, operationId } = remote.call;
      const lost = remote.lost && remote.spoke === null;
      this.#end(
        remote,
        lost
          ? lostError(remote.call)
          : new CallError("TIMEOUT", `Call "${requestId}" of operation "${operationId}" passed its deadline`, {
            deadline,
          }),
      );
    });
  }

  #place(remote: RemoteCall): void {
    const { operation } = remote;
    const spoke = operation.pick(remote);
    if (spoke !== null) return this.#send(remote, spoke);
    if (operation.queued >= this.#options.maxQueued) {
      this.#finish(remote);
      const message = `Operation "${operation.id}" has ${operation.queued} calls waiting: wanted fewer`;
      return remote.sink.fail(new CallError("OVERLOADED", message, { operationId: operation.id }));
    }
    operation.enqueue(remote);
    this.#queued++;
  }

  #send(remote: RemoteCall, spoke: Spoke): void {
    remote.spoke = spoke;
    spoke.give(remote);
    spoke.lastAssigned = ++this.#assigned;
    this.#write(remote, spoke);
  }

  #write(remote: RemoteCall, spoke: Spoke): void {
    if (!this.#options.mayCall()) return;
    try {
      spoke.link?.writeText(requestText(remote), "call.requested");
    } catch (error) {
      this.#finish(remote);
      remote.sink.fail(error instanceof CallError ? error : new CallError("EXECUTION_ERROR", String(error)));
    }
  }

  /** Ends a call from this side: the spoke is told, and what it says later is dropped. */
  #end(remote: RemoteCall, error: CallError): void {
    this.#release(remote);
    remote.sink.fail(error);
  }

  /** Finishes a call whose spoke may still be at it. */
  #release(remote: RemoteCall): void {
    const { spoke, call: { requestId } } = remote;
    if (spoke !== null && !this.#options.isLeaving()) {
      spoke.ended.add(requestId);
      if (spoke.link === null) spoke.missAbort(requestId);
      else spoke.link.write(envelope("call.aborted", { requestId }));
    }
    this.#finish(remote);
  }

  #finish(remote: RemoteCall): void {
    const { spoke, operation } = remote;
    this.#calls.delete(remote.call.requestId);
    remote.detach();
    if (spoke === null) {
      this.#dequeue(remote);
      this.#offers.forgetIfEmpty(operation);
      return;
    }
    spoke.take(remote);
    this.#pump(spoke);
  }

  #dequeue(remote: RemoteCall): void {
    if (remote.operation.dequeue(remote)) this.#queued--;
  }

  /** Gives waiting calls to a spoke while it has slots, the oldest first. */
  #pump(spoke: Spoke): void {
    while (this.#queued > 0 && spoke.hasSlot && !this.#options.isLeaving()) {
      let oldest: RemoteCall | null = null;
      for (const id of spoke.operations.keys()) {
        const next = this.#offers.get(spoke.record.orgId, id)?.next(spoke) ?? null;
        if (next !== null && (oldest === null || next.order < oldest.order)) oldest = next;
      }
      if (oldest === null) return;
      this.#dequeue(oldest);
      this.#send(oldest, spoke);
    }
  }

  // Spokes

  /** Makes the spoke's operations known. Calls for them wait until it is activated. */
  offer(spoke: Spoke): void {
    const { orgId } = spoke.record;
    for (const operation of this.#offers.all(orgId)) {
      if (spoke.operations.has(operation.id) || !operation.spokes.has(spoke)) continue;
      operation.remove(spoke);
      this.#settleQueue(operation);
    }
    for (const [id, spec] of spoke.operations) this.#offers.open(orgId, id).add(spoke, spec);
  }

  /** The spoke is here, for the first time or again: aborts that it missed, then its calls, then waiting ones. */
  activate(spoke: Spoke, link: SpokeLink): void {
    spoke.cancelGrace();
    spoke.link = link;
    spoke.status = "connected";
    for (const requestId of spoke.takeMissedAborts()) link.write(envelope("call.aborted", { requestId }));
    for (const remote of [...spoke.inFlight.values()]) {
      if (canTake(spoke, remote)) this.#write(remote, spoke);
      else this.#move(remote);
    }
    this.#reconsider(spoke);
  }

  /** Which version is served may have changed with a spoke: everyone looks at the queues. */
  #reconsider(spoke: Spoke): void {
    for (const id of spoke.operations.keys()) {
      const operation = this.#offers.get(spoke.record.orgId, id);
      if (operation === undefined) continue;
      operation.choose();
      this.#settleQueue(operation);
    }
  }

  /** What was held back goes out; a spoke knows what it has by the request id. */
  resend(spoke: Spoke): void {
    if (spoke.link === null) return;
    for (const remote of [...spoke.inFlight.values()]) this.#write(remote, spoke);
  }

  /** It may have been let go: what waits for it goes out. */
  setHeld(spoke: Spoke, isHeld: boolean): void {
    spoke.isHeld = isHeld;
    this.#pump(spoke);
  }

  /** Takes no new calls from now on; another version of its operations may take them over. */
  drain(spoke: Spoke): void {
    if (spoke.status !== "connected" && spoke.status !== "registering") return;
    spoke.status = "draining";
    this.#reconsider(spoke);
  }

  /** Its socket has closed. */
  detach(spoke: Spoke): void {
    spoke.link = null;
    if (spoke.status === "draining") return this.lose(spoke, "it has left");
    this.away(spoke);
  }

  /** Waits for a spoke that is not here. Streams cannot go on: which of their chunks got lost is not known. */
  away(spoke: Spoke): void {
    const { clock, graceMs } = this.#options;
    spoke.status = "disconnected";
    for (const remote of [...spoke.inFlight.values()]) {
      if (remote.streaming) this.#end(remote, lostError(remote.call));
    }
    spoke.cancelGrace = clock.at(clock.now() + graceMs, () => this.lose(spoke, "it did not come back in time"));
  }

  /** The spoke will not come back: its calls go to another, or wait for one until their deadline, or fail. */
  lose(spoke: Spoke, reason: string): void {
    if (spoke.status === "gone") return;
    spoke.cancelGrace();
    spoke.status = "gone";
    spoke.link = null;
    const { orgId } = spoke.record;
    const operations = [...spoke.operations.keys()].flatMap((id) => this.#offers.get(orgId, id) ?? []);
    for (const operation of operations) operation.remove(spoke);
    // Before operations without a spoke are forgotten: a call that waits keeps its operation known.
    for (const remote of [...spoke.inFlight.values()]) this.#move(remote);
    for (const operation of operations) this.#settleQueue(operation);
    this.#options.onGone(spoke, reason);
  }

  /** Looks at an operation's queue again after a spoke came, stopped offering it, or offers another version of it. */
  #settleQueue(operation: OfferedOperation): void {
    for (const remote of operation.waiting()) {
      if (!operation.isOffered(remote)) this.#orphan(remote);
    }
    if (operation.queued > 0) {
      for (const other of operation.spokes.keys()) this.#pump(other);
    }
    this.#offers.forgetIfEmpty(operation);
  }

  /** Takes a call from a spoke that is gone, or offers its operation no longer. */
  #move(remote: RemoteCall): void {
    remote.spoke?.take(remote);
    remote.spoke = null;
    remote.lost = true;
    if (remote.streaming) {
      this.#finish(remote);
      return remote.sink.fail(lostError(remote.call));
    }
    if (remote.operation.isOffered(remote)) return this.#place(remote);
    remote.operation.enqueue(remote);
    this.#queued++;
    this.#orphan(remote);
  }

  /** A waiting call that nobody offers: it waits for a new spoke if its deadline bounds that. */
  #orphan(remote: RemoteCall): void {
    remote.lost = true;
    if (remote.call.deadline !== null && !this.#options.failsLost && this.#offers.remember(remote.operation)) return;
    this.#finish(remote);
    remote.sink.fail(lostError(remote.call));
  }
}

/** Whether a spoke that has come back still offers what it was given. */
function canTake({ operations }: Spoke, { operation: { id }, version }: RemoteCall): boolean {
  const spec = operations.get(id);
  return spec !== undefined && (version === null || spec.version === version);
}
