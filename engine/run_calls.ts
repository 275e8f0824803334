/**
 * The calls of one run: from a node that may start to its outcome in the log.
 *
 * - R1 `call.requested` is in the log before any outcome of its attempt, and once.
 * - R2 The first outcome counts: an ended call is deaf (I2).
 * - R3 Holds no collection that is empty (A3).
 */
import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { ChildRunNode, OperationNode } from "@alkdev/flowgraph";
import type { ActiveRun } from "./active_run.ts";
import { CallTable } from "./call_table.ts";
import { toEventError } from "./event_error.ts";
import { copyPlain, toJsonValue } from "./json_value.ts";
import { NodeCall } from "./node_call.ts";
import { type CallInput, callInput, wantConcurrencyKey, workflowOperation } from "./node_values.ts";
import { nextAttemptAt } from "./retry.ts";
import type { RunHost } from "./run_host.ts";
import type { Place } from "./state/frame.ts";
import { keyOf } from "./state/keys.ts";
import { awaitsSlot } from "./state/slots.ts";
import { bind } from "./state/values.ts";

export class RunCalls {
  readonly #run: ActiveRun;
  readonly #host: RunHost;
  #calls: CallTable | null = null;

  constructor(run: ActiveRun, host: RunHost) {
    this.#run = run;
    this.#host = host;
  }

  /** Calls under way, in order of their start. */
  get all(): readonly NodeCall[] {
    return this.#calls?.values() ?? [];
  }

  /** The call of a node that is under way; undefined: none. */
  of(key: string): NodeCall | undefined {
    return this.#calls?.get(key);
  }

  /** Whether an attempt has been started that is not in the log yet: a node may be told twice that its time has come. */
  has({ frame, vertex }: Place): boolean {
    return this.#calls !== null && this.#calls.get(keyOf(this.#run.state, frame, vertex)) !== undefined;
  }

  /** Starts an attempt of a node; `logged`: it is a re-send of one that has been announced. */
  start(place: Place, attempt: number, logged: boolean): void {
    const run = this.#run;
    const { clock, ids, limits } = this.#host;
    const node = run.node(place);
    if (node.kind !== "operation" && node.kind !== "workflow") return;
    const key = keyOf(run.state, place.frame, place.vertex);
    let given: CallInput;
    let concurrencyKey: string | null;
    try {
      given = callInput(run.state, place.frame, node, limits);
      concurrencyKey = node.kind === "operation" && node.concurrencyKey !== undefined
        ? wantConcurrencyKey(bind(run.state, place.frame, node.concurrencyKey), key)
        : null;
    } catch (error) {
      return run.emit({ type: "node.failed", key, error: toEventError(error, limits) }, place);
    }
    const call = new NodeCall({
      run,
      frame: place.frame,
      vertex: place.vertex,
      nodeKey: key,
      attempt,
      requestId: ids.requestId(run.id, key, attempt),
      operationId: node.kind === "operation" ? node.operationId : workflowOperation(node),
      ...given,
      deadline: run.state.created?.deadline ?? null,
      spoke: node.kind === "operation" ? node.spoke ?? null : null,
      startedAt: clock.now(),
      priority: (run.state.created?.priority ?? 0) + (node.kind === "operation" ? node.priority ?? 0 : 0),
      concurrencyKey,
      logged,
    });
    (this.#calls ??= new CallTable()).add(call);
    if (!this.#host.waits(call)) this.begin(call);
  }

  /** Sends a call that may start; its time-out counts from here. */
  begin(call: NodeCall): void {
    const { timeoutMs } = this.#run.node(call) as OperationNode | ChildRunNode; // see start
    if (timeoutMs !== undefined) {
      call.deadline = call.startedAt + timeoutMs;
      call.cancelTimeout = this.#host.clock.at(call.deadline, () => this.#timedOut(call, timeoutMs));
    }
    this.#host.send(call);
  }

  responded(call: NodeCall, envelope: ResponseEnvelope): void {
    if (call.ended) return;
    const run = this.#run;
    let output: ResponseEnvelope;
    try {
      const before = run.bytes;
      const { limits } = this.#host;
      const data = copyPlain(envelope.data, limits, run) ??
        toJsonValue(envelope.data, `the result of node "${call.nodeKey}"`, limits, run);
      this.#host.grow(run.bytes - before);
      output = { data, meta: envelope.meta };
    } catch (error) {
      return this.failed(call, error);
    }
    this.#finish(call);
    if (run.state.terminal !== null) return;
    const { nodeKey: key, attempt, requestId } = call;
    const at = this.#host.clock.now();
    const type = "call.responded";
    // Written out, not spread: half of all events are this one and the next.
    run.append({ runId: run.id, seq: run.nextSeq(), at, type, key, attempt, requestId, output }, call);
  }

  failed(call: NodeCall, reason: unknown): void {
    if (call.ended) return;
    this.#finish(call);
    const run = this.#run;
    const error = toEventError(reason, this.#host.limits);
    const { nodeKey: key, attempt, requestId } = call;
    const node = run.node(call);
    const policy = node.kind === "operation" || node.kind === "workflow" ? node.retry : undefined;
    const { clock, random } = this.#host;
    const retryAt = nextAttemptAt({ policy, attempt, error, now: clock.now(), random });
    run.emit({ type: "call.error", key, attempt, requestId, error, retryAt }, call);
    if (retryAt !== null && run.state.terminal === null) run.waits.arm(call, retryAt, run.seq);
  }

  /** Puts `call.requested` into the log, once. */
  request(call: NodeCall): void {
    if (!call.ended) this.announce(call);
  }

  /** As {@linkcode request}, also for a call that has ended: its outcome needs it (R1). */
  announce(call: NodeCall): void {
    if (call.logged) return;
    call.logged = true;
    const run = this.#run;
    if (run.state.terminal !== null) return;
    const { nodeKey: key, attempt, requestId, operationId, recorded: input, startedAt: at } = call;
    const type = "call.requested";
    run.append({ runId: run.id, seq: run.nextSeq(), at, type, key, attempt, requestId, operationId, input }, call);
  }

  /** Takes a call back that has not been announced: as if it had never started. */
  takeBack(call: NodeCall): void {
    call.ended = true;
    call.cancelTimeout?.();
    this.#calls?.delete(call.nodeKey);
  }

  /** Ends the call of a place that is no longer wanted, with its event if it has been announced. */
  cancel(place: Place, key: string): void {
    const call = this.#calls?.get(key);
    if (call === undefined) return;
    this.#calls?.delete(key);
    call.cancel(new CallError("ABORTED", `Node "${key}" is no longer wanted`));
    this.#host.release(call);
    if (!call.logged) return; // never announced: nothing to take back
    this.#run.emit({ type: "call.aborted", key, attempt: call.attempt, requestId: call.requestId }, place);
  }

  /**
   * Ends every call: all signals first (I5), so that the room they leave is not given to one of them; then the events of those
   * that have been sent. What still waited for room was never heard of.
   */
  abortAll(cause: CallError): void {
    const calls = this.all;
    const sent = calls.filter((call) => call.holdsSlot || call.logged);
    for (const call of calls) call.cancel(cause);
    for (const call of calls) this.#host.release(call);
    for (const call of sent) {
      this.announce(call);
      this.#run.emit(
        { type: "call.aborted", key: call.nodeKey, attempt: call.attempt, requestId: call.requestId },
        call,
      );
    }
    this.#calls = null;
  }

  /** Cancels every call, without an event. */
  abandon(reason: unknown): void {
    for (const call of this.all) call.cancel(reason);
    this.#calls = null;
  }

  /** Announces every call that has been sent and is not in the log yet. */
  announceSent(): void {
    for (const call of this.all) if (call.holdsSlot) this.request(call);
  }

  /**
   * The run has moved to another state: its calls stand where their keys do there. One that still waited for room, and is in line
   * for a slot there, is taken back.
   */
  carry(placeOf: (key: string) => Place | null): void {
    const calls = this.all;
    for (const call of calls) {
      const place = placeOf(call.nodeKey);
      if (place === null) continue;
      if (awaitsSlot(place)) this.takeBack(call);
      else call.moveTo(place);
    }
    for (const call of calls) if (call.ended) this.#host.release(call); // last: what it lets in must have moved
  }

  /** Lets go of an empty collection (R3). */
  tidy(): void {
    if (this.#calls?.size === 0) this.#calls = null;
  }

  #finish(call: NodeCall): void {
    call.ended = true;
    call.cancelTimeout?.();
    this.#calls?.delete(call.nodeKey);
    this.announce(call);
  }

  #timedOut(call: NodeCall, timeoutMs: number): void {
    if (call.ended) return;
    const error = new CallError("TIMEOUT", `Node "${call.nodeKey}" took longer than its timeout of ${timeoutMs} ms`, {
      deadline: call.deadline,
    });
    this.failed(call, error);
    call.cancel(error);
    this.#host.release(call);
  }
}
