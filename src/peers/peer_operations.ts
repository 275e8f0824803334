import { CallError, operationId, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import type { RemoteOperations } from "../dispatch/mod.ts";
import { type CallLabels, ChunkQueue, compareVersions, type RunnerPool, SpokeLostError } from "../spokes/mod.ts";
import { OutgoingCall } from "./outgoing_call.ts";
import type { HubBus } from "./ports.ts";
import type { Presence } from "./presence.ts";
import type { ServedCalls } from "./served_calls.ts";
import { type CallOutcome, reviveOutput, toWireCall } from "./wire_call.ts";

export interface PeerOperationsOptions {
  readonly bus: HubBus;
  readonly pool: RunnerPool;
  readonly presence: Presence;
  readonly served: ServedCalls;
  readonly clock: Clock;
  /** How long a call waits for somebody who can carry it out. */
  readonly graceMs: number;
  /** False: no call is sent to another hub now. */
  readonly mayCall: () => boolean;
  /** True: calls are not given up but left to the next owner of their run. */
  readonly isLeaving: () => boolean;
}

/** How often a hub is asked whether it still has the calls that it was given. */
const ASK_MS = 2_000;
/** How soon a call that was turned down is tried again, though nothing has changed. */
const RETRY_MS = 250;
const MAX_WAITING = 10_000;
const IDS_A_MESSAGE = 1_000;

/**
 * Operations of spokes, wherever they are connected: those with the newest version, of them this hub's own first. A call is in one of three places:
 *
 * 1. in the own pool,
 * 2. at another hub (`#sent`), which is asked every two seconds whether it still has it: what it does not know is sent again,
 *    under the same request id, so that a spoke which has answered answers from memory,
 * 3. waiting (`#waiting`) for somebody to offer its operation, for the grace period: after it, `SPOKE_LOST`.
 */
export class PeerOperations implements RemoteOperations {
  readonly #options: PeerOperationsOptions;
  readonly #sent = new Map<string, OutgoingCall>();
  readonly #waiting = new Set<OutgoingCall>();
  /** Calls at each hub. */
  readonly #load = new Map<string, number>();
  #isLooking = false;
  #awaySince: number | null = null;
  #cancelRetry: (() => void) | null = null;
  #cancelAsk: () => void = () => {};

  constructor(options: PeerOperationsOptions) {
    this.#options = options;
    const { bus, presence } = options;
    bus.subscribe("outcome", (message, from) => this.#outcome(message as CallOutcome, from));
    bus.subscribe("unknown", (message, from) => this.#unknown(message as readonly string[], from));
    presence.onGone((hubId) => this.#peerGone(hubId));
    presence.onChange(() => this.look());
    this.#scheduleAsk();
  }

  /** Of the version that a call would go to: the one that it names, else the highest that is here, here or elsewhere. */
  spec(orgId: string, reference: string, labels: CallLabels = null): OperationSpec | undefined {
    const { pool, presence } = this.#options;
    const own = pool.spec(orgId, reference, labels);
    if (own === undefined) return presence.spec(orgId, reference, labels);
    if (labels !== null && pool.offers(orgId, reference, labels) === null) {
      // Spokes with the labels are elsewhere, or nowhere.
      return presence.providers(orgId, reference, labels)[0]?.spec ?? own;
    }
    return this.#newerElsewhere(own, orgId, reference, labels) ?? own;
  }

  versions(orgId: string, id: string): readonly string[] {
    const { pool, presence } = this.#options;
    return [...new Set([...pool.versions(orgId, id), ...presence.versions(orgId, id)])].sort(compareVersions).reverse();
  }

  specs(orgId: string): readonly OperationSpec[] {
    const own = this.#options.pool.specs(orgId);
    const ids = new Set(own.map(operationId));
    return [
      ...own.map((spec) => this.#newerElsewhere(spec, orgId, operationId(spec), null) ?? spec),
      ...this.#options.presence.specs(orgId).filter((spec) => !ids.has(operationId(spec))),
    ];
  }

  call(call: DispatchedCall, spec: OperationSpec): Promise<ResponseEnvelope> {
    const { pool, served } = this.#options;
    if (served.size > 0) {
      const answer = served.takeOver(call);
      if (answer !== null) return this.#orElsewhere(answer, call);
    }
    if (this.#isForHere(call)) {
      return this.#orElsewhere(pool.call(call, spec), call);
    }
    return this.#elsewhere(call);
  }

  stream(call: DispatchedCall, spec: OperationSpec): AsyncIterable<ResponseEnvelope> {
    const { pool } = this.#options;
    if (this.#isForHere(call)) return pool.stream(call, spec);
    const leave = new AbortController();
    const signal = AbortSignal.any([call.signal, leave.signal]);
    const chunks = new ChunkQueue(() => leave.abort());
    this.#submit(new OutgoingCall({ call: toWireCall(call, true), signal, sink: chunks }));
    return chunks;
  }

  /** Where a call is that this hub's own spokes do not carry out: at a hub, or (null) waiting. Undefined: not here. */
  place(requestId: string): { readonly hubId: string | null; readonly since: number } | undefined {
    const sent = this.#sent.get(requestId);
    if (sent !== undefined) return { hubId: sent.hubId, since: sent.sentAt };
    for (const waiting of this.#waiting) {
      if (waiting.call.requestId === requestId) return { hubId: null, since: waiting.since };
    }
    return undefined;
  }

  /** Calls at other hubs, and calls that wait for somebody to offer their operation. */
  stats(): { readonly sent: number; readonly waiting: number } {
    return { sent: this.#sent.size, waiting: this.#waiting.size };
  }

  /** What is offered here or elsewhere has changed: once a turn, waiting calls are tried again. */
  look(): void {
    if (this.#isLooking || this.#waiting.size === 0) return;
    this.#isLooking = true;
    this.#options.clock.afterTurn(() => {
      this.#isLooking = false;
      for (const call of [...this.#waiting]) this.#place(call);
    });
  }

  close(): void {
    this.#cancelAsk();
    this.#cancelRetry?.();
    for (const call of [...this.#sent.values(), ...this.#waiting]) call.detach();
  }

  /** Whether an own spoke takes the call: one that is here, unless another hub has a newer version. */
  #isForHere(
    { orgId, operationId: id, spoke: labels }: Pick<DispatchedCall, "orgId" | "operationId" | "spoke">,
  ): boolean {
    const { pool } = this.#options;
    if (pool.offers(orgId, id, labels) !== "here") return false;
    const own = pool.spec(orgId, id, labels);
    return own === undefined || this.#newerElsewhere(own, orgId, id, labels) === null;
  }

  #newerElsewhere(own: OperationSpec, orgId: string, id: string, labels: CallLabels): OperationSpec | null {
    const { bus, presence, mayCall } = this.#options;
    const [other] = presence.providers(orgId, id, labels);
    if (other === undefined || other.spec.version === own.version) return null;
    const isFree = bus.state() === "connected" && mayCall();
    return isFree && compareVersions(other.spec.version, own.version) > 0 ? other.spec : null;
  }

  #orElsewhere(answer: Promise<ResponseEnvelope>, call: DispatchedCall): Promise<ResponseEnvelope> {
    return answer.catch((error) => {
      if (!(error instanceof SpokeLostError)) throw error;
      return this.#elsewhere(call);
    });
  }

  #elsewhere(call: DispatchedCall): Promise<ResponseEnvelope> {
    return new Promise((resolve, reject) => {
      const sink = { respond: resolve, complete: () => {}, fail: reject };
      this.#submit(new OutgoingCall({ call: toWireCall(call, false), signal: call.signal, sink }));
    });
  }

  #submit(call: OutgoingCall): void {
    if (call.signal.aborted) return call.sink.fail(abortError(call.signal));
    call.onAbort(() => this.#abort(call));
    this.#place(call);
  }

  /** Gives a call that is nowhere, or waiting, to whoever can take it now; else it waits. */
  #place(out: OutgoingCall): void {
    if (out.isSettled) return;
    const { bus, presence } = this.#options;
    const { orgId, operationId: id, spoke: labels } = out.call;
    if (!out.call.streaming && this.#isForHere(out.call)) return this.#placeHere(out);
    const isFree = bus.state() === "connected" && this.#options.mayCall();
    const providers = isFree ? presence.providers(orgId, id, labels) : [];
    let best: string | null = null;
    for (const { hubId } of providers) {
      if (best === null || (this.#load.get(hubId) ?? 0) < (this.#load.get(best) ?? 0)) best = hubId;
    }
    if (best === null) this.#wait(out);
    else this.#send(out, best);
  }

  #placeHere(out: OutgoingCall): void {
    const { orgId, operationId: reference, spoke: labels } = out.call;
    const spec = this.#options.pool.spec(orgId, reference, labels);
    if (spec === undefined) return this.#wait(out);
    this.#waiting.delete(out);
    out.cancelGrace();
    out.detach();
    const call: DispatchedCall = { ...out.call, signal: out.signal };
    this.call(call, spec).then(out.sink.respond, out.sink.fail);
  }

  #send(out: OutgoingCall, hubId: string): void {
    this.#waiting.delete(out);
    out.cancelGrace();
    out.hubId = hubId;
    out.sentAt = this.#options.clock.now();
    this.#sent.set(out.call.requestId, out);
    this.#load.set(hubId, (this.#load.get(hubId) ?? 0) + 1);
    this.#options.bus.send(hubId, "call", out.call).then((isGiven) => {
      if (isGiven || out.hubId !== hubId || out.isSettled) return;
      this.#unsend(out);
      if (this.#options.bus.state() === "connected") this.#options.presence.missed(hubId);
      this.#wait(out);
    });
  }

  #unsend(out: OutgoingCall): void {
    if (out.hubId === null) return;
    const left = (this.#load.get(out.hubId) ?? 1) - 1;
    if (left > 0) this.#load.set(out.hubId, left);
    else this.#load.delete(out.hubId);
    out.hubId = null;
    this.#sent.delete(out.call.requestId);
  }

  #wait(out: OutgoingCall): void {
    if (out.isSettled || this.#waiting.has(out)) return;
    if (this.#waiting.size >= MAX_WAITING) {
      return this.#settle(out, new CallError("OVERLOADED", `${MAX_WAITING} calls wait for a spoke: wanted fewer`));
    }
    const { clock, graceMs } = this.#options;
    const now = clock.now();
    // A hub that turns it down at once does not prolong its time.
    if (out.graceUntil === 0 || now - out.sentAt > ASK_MS) out.graceUntil = now + graceMs;
    out.since = now;
    this.#waiting.add(out);
    out.cancelGrace = clock.at(out.graceUntil, () => this.#settle(out, this.#lostError(out)));
    this.#retryLater();
  }

  #retryLater(): void {
    const { clock } = this.#options;
    this.#cancelRetry ??= clock.at(clock.now() + RETRY_MS, () => {
      this.#cancelRetry = null;
      for (const waiting of [...this.#waiting]) this.#place(waiting);
      if (this.#waiting.size > 0) this.#retryLater();
    });
  }

  #outcome(outcome: CallOutcome, from: string): void {
    const out = this.#sent.get(outcome.requestId);
    if (out === undefined || out.hubId !== from) return;
    switch (outcome.type) {
      case "responded":
        if (!out.call.streaming) {
          this.#settle(out, null);
          return out.sink.respond(reviveOutput(outcome.output));
        }
        if (outcome.n !== out.received) return this.#breakOff(out);
        out.received++;
        return out.sink.respond(reviveOutput(outcome.output));
      case "completed":
        if (outcome.n !== out.received) return this.#breakOff(out);
        this.#settle(out, null);
        return out.sink.complete();
      case "error":
        return this.#settle(out, new CallError(outcome.error.code, outcome.error.message, outcome.error.details));
      case "lost":
        return this.#lost(out);
    }
  }

  /** The hub that had it has it no longer. A stream cannot go on elsewhere. */
  #lost(out: OutgoingCall): void {
    this.#unsend(out);
    if (out.call.streaming && out.received > 0) return this.#settle(out, this.#lostError(out));
    this.#wait(out);
  }

  /** A chunk of a stream got lost. */
  #breakOff(out: OutgoingCall): void {
    if (out.hubId !== null) void this.#options.bus.send(out.hubId, "abort", out.call.requestId);
    this.#settle(out, this.#lostError(out));
  }

  #unknown(requestIds: readonly string[], from: string): void {
    for (const requestId of requestIds) {
      const out = this.#sent.get(requestId);
      if (out === undefined || out.hubId !== from) continue;
      this.#unsend(out);
      if (out.call.streaming) this.#settle(out, this.#lostError(out));
      else this.#place(out);
    }
  }

  #peerGone(hubId: string): void {
    this.#options.served.peerGone(hubId);
    for (const out of [...this.#sent.values()]) if (out.hubId === hubId) this.#lost(out);
    this.look();
  }

  #abort(out: OutgoingCall): void {
    const { hubId, call: { requestId } } = out;
    if (hubId !== null && !this.#options.isLeaving()) void this.#options.bus.send(hubId, "abort", requestId);
    this.#settle(out, abortError(out.signal));
  }

  /** Ends it here. Null: the sink is told by the caller. */
  #settle(out: OutgoingCall, error: CallError | null): void {
    if (out.isSettled) return;
    out.isSettled = true;
    this.#unsend(out);
    this.#waiting.delete(out);
    out.detach();
    if (error !== null) out.sink.fail(error);
  }

  #scheduleAsk(): void {
    const { clock } = this.#options;
    this.#cancelAsk = clock.at(clock.now() + ASK_MS, () => {
      this.#ask();
      this.#scheduleAsk();
    });
  }

  #ask(): void {
    const { bus, clock, graceMs } = this.#options;
    if (bus.state() === "connected") this.#awaySince = null;
    else {
      this.#awaySince ??= clock.now();
      if (clock.now() - this.#awaySince < graceMs) return;
      for (const out of [...this.#sent.values()]) this.#settle(out, this.#lostError(out));
    }
    if (this.#sent.size === 0) return;
    const before = clock.now() - ASK_MS / 2;
    const byHub = new Map<string, string[]>();
    for (const { hubId, sentAt, call } of this.#sent.values()) {
      if (hubId === null || sentAt > before) continue;
      const ids = byHub.get(hubId);
      if (ids === undefined) byHub.set(hubId, [call.requestId]);
      else ids.push(call.requestId);
    }
    for (const [hubId, ids] of byHub) {
      for (let i = 0; i < ids.length; i += IDS_A_MESSAGE) void bus.send(hubId, "ask", ids.slice(i, i + IDS_A_MESSAGE));
    }
  }

  #lostError({ call: { requestId, operationId: id } }: OutgoingCall): CallError {
    const why = this.#options.bus.state() === "connected"
      ? "no spoke of any hub offers it now"
      : "no spoke of this hub offers it, and the bus to the other hubs is away";
    return new CallError(
      "SPOKE_LOST",
      `Call "${requestId}" of operation "${id}" found nobody to carry it out: ${why}`,
      {
        operationId: id,
      },
    );
  }
}

function abortError(signal: AbortSignal): CallError {
  return signal.reason instanceof CallError
    ? signal.reason
    : new CallError("ABORTED", "Call was aborted by its caller");
}
