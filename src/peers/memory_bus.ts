import { createMessageBus } from "./message_bus.ts";
import { ALL_HUBS, type BusState, type BusTransport, type HubBus } from "./ports.ts";

/** Connects the hubs of one process: the reference for every other transport. */
export class MemoryExchange {
  readonly #members = new Set<MemoryTransport>();
  #isUp = true;

  bus(hubId: string): HubBus {
    const transport: MemoryTransport = new MemoryTransport(
      hubId,
      (channel, text) => this.#deliver(transport, channel, text),
      () => {
        this.#members.delete(transport);
      },
    );
    transport.change(this.#isUp ? "connected" : "away");
    this.#members.add(transport);
    return createMessageBus({ hubId, transport });
  }

  /** Takes the bus away from every hub, or gives it back. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    for (const member of this.#members) member.change(isUp ? "connected" : "away");
  }

  #deliver(from: MemoryTransport, channel: string, text: string): number {
    if (!this.#isUp) throw new Error("The bus is away");
    const targets = [...this.#members].filter((member) =>
      channel === ALL_HUBS ? member !== from : member.hubId === channel
    );
    for (const target of targets) queueMicrotask(() => target.receive(text));
    return targets.length;
  }
}

class MemoryTransport implements BusTransport {
  readonly hubId: string;
  readonly #deliver: (channel: string, text: string) => number;
  readonly #leave: () => void;
  readonly #onState = new Set<(state: BusState) => void>();
  #state: BusState = "away";
  #onText: (text: string) => void = () => {};

  constructor(hubId: string, deliver: (channel: string, text: string) => number, leave: () => void) {
    this.hubId = hubId;
    this.#deliver = deliver;
    this.#leave = leave;
  }

  state(): BusState {
    return this.#state;
  }

  onState(listener: (state: BusState) => void): () => void {
    this.#onState.add(listener);
    return () => void this.#onState.delete(listener);
  }

  onText(listener: (text: string) => void): void {
    this.#onText = listener;
  }

  // deno-lint-ignore require-await -- so that a throw is a rejection
  async send(channel: string, text: string): Promise<number> {
    if (this.#state !== "connected") throw new Error(`The bus is ${this.#state}`);
    return this.#deliver(channel, text);
  }

  close(): Promise<void> {
    this.change("closed");
    this.#leave();
    return Promise.resolve();
  }

  receive(text: string): void {
    if (this.#state === "connected") this.#onText(text);
  }

  change(state: BusState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    for (const listener of [...this.#onState]) listener(state);
  }
}
