import type { ChunkQueue } from "../spokes/mod.ts";
import type { WireCall } from "./wire_call.ts";

type Sink = Pick<ChunkQueue, "respond" | "complete" | "fail">;

/** One call that this hub's own spokes do not carry out: at another hub, or waiting. Settled once. */
export class OutgoingCall {
  readonly call: WireCall;
  readonly signal: AbortSignal;
  readonly sink: Sink;
  /** Where it is; null: nowhere. */
  hubId: string | null = null;
  /** Ms since the epoch. */
  sentAt = 0;
  /** Since when it has been waiting; ms since the epoch. */
  since = 0;
  /** When it has waited long enough; ms since the epoch. */
  graceUntil = 0;
  /** Chunks of a stream. */
  received = 0;
  isSettled = false;
  cancelGrace: () => void = () => {};
  #undo: () => void = () => {};

  constructor(params: { readonly call: WireCall; readonly signal: AbortSignal; readonly sink: Sink }) {
    this.call = params.call;
    this.signal = params.signal;
    this.sink = params.sink;
  }

  onAbort(listener: () => void): void {
    this.signal.addEventListener("abort", listener, { once: true });
    this.#undo = () => this.signal.removeEventListener("abort", listener);
  }

  /** Lets go of the signal and of the timer. */
  detach(): void {
    this.cancelGrace();
    this.#undo();
  }
}
