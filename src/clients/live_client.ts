import {
  CallError,
  mapError,
  type OperationContext,
  operationId,
  type OperationSpec,
  type ResponseEnvelope,
} from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { CallSlots } from "./call_slots.ts";
import { Circuit } from "./circuit.ts";
import type { ClientRecord } from "./client.ts";
import type { LlmProviderConfig } from "./client_config.ts";
import type { Endpoint, EndpointState } from "./endpoint.ts";
import type { SecretMask } from "./secret_mask.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_CONCURRENCY = 16;
const SERVICE_TROUBLE: ReadonlySet<unknown> = new Set([502, 503, 504]);

/** A client that gives operations. */
export type OfferingClient = ClientRecord & { readonly config: Exclude<ClientRecord["config"], LlmProviderConfig> };

/** Told what a server says of a call while it works. */
export interface ProgressObserver {
  progress?(call: DispatchedCall, value: unknown): void;
}

/** How a client is doing on this hub. */
export interface LiveState extends EndpointState {
  readonly circuit: Circuit["state"];
  readonly inFlight: number;
  readonly operations: number;
}

/** One client on this hub: its operations, the calls that are under way, and what limits them. */
export class LiveClient {
  readonly record: OfferingClient;
  /** Settled when it has been tried for the first time. */
  readonly tried: Promise<void>;
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #observer: ProgressObserver;
  readonly #slots: CallSlots;
  readonly #circuit: Circuit;
  readonly #mask: () => SecretMask;
  #specs: ReadonlyMap<string, OperationSpec> = new Map();
  #calls = 0;
  #onIdle: (() => void) | null = null;

  /** @param mask asked for with each answer: secrets are opened when they are first needed */
  constructor(params: {
    readonly record: OfferingClient;
    readonly endpoint: Endpoint;
    readonly specs: readonly OperationSpec[];
    readonly clock: Clock;
    readonly random: () => number;
    readonly observer: ProgressObserver;
    readonly mask: () => SecretMask;
    /** Told before the endpoint starts, which may then offer at once. */
    readonly onLive: (live: LiveClient) => void;
  }) {
    const { record, endpoint, clock, random } = params;
    this.record = record;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#observer = params.observer;
    this.#mask = params.mask;
    this.#slots = new CallSlots(record.config.maxConcurrency ?? DEFAULT_CONCURRENCY);
    this.#circuit = new Circuit(record.name, clock, random);
    this.offer(params.specs);
    params.onLive(this);
    this.tried = endpoint.start();
  }

  get state(): LiveState {
    const { state } = this.#endpoint;
    const circuit = this.#circuit.state;
    return { ...state, circuit, inFlight: this.#calls, operations: this.#specs.size };
  }

  get specs(): Iterable<OperationSpec> {
    return this.#specs.values();
  }

  spec(id: string): OperationSpec | undefined {
    return this.#specs.get(id);
  }

  /** It offers these from now on. */
  offer(specs: readonly OperationSpec[]): void {
    this.#specs = new Map(specs.map((spec) => [operationId(spec), spec]));
  }

  refresh(): Promise<void> {
    return this.#masked(() => this.#endpoint.refresh());
  }

  reread(content: string): void {
    this.#endpoint.reread(content);
  }

  async call(call: DispatchedCall, spec: OperationSpec): Promise<ResponseEnvelope> {
    return await this.#masked(async () => {
      using admitted = await this.#admit(call.signal);
      try {
        const answer = await this.#endpoint.call(spec.name, call.input, this.#context(call));
        admitted.succeeded();
        return this.#checked(this.#mask().json(answer));
      } catch (error) {
        admitted.failed(error);
        throw error;
      }
    });
  }

  async *stream(call: DispatchedCall, spec: OperationSpec): AsyncGenerator<ResponseEnvelope, void, undefined> {
    try {
      using admitted = await this.#admit(call.signal);
      try {
        for await (const chunk of this.#endpoint.stream(spec.name, call.input, this.#context(call, Infinity))) {
          admitted.succeeded();
          yield this.#mask().json(chunk);
        }
      } catch (error) {
        admitted.failed(error);
        throw error;
      }
    } catch (error) {
      throw this.#mask().error(toCallError(error, call.signal));
    }
  }

  /** Waits for the calls under way, at most so long, and lets go of the server. */
  async drain(withinMs: number): Promise<void> {
    if (this.#calls > 0) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      const cancel = this.#clock.at(this.#clock.now() + withinMs, idle.resolve);
      await idle.promise;
      cancel();
    }
    await this.close();
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  async #masked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#mask().error(toCallError(error, undefined));
    }
  }

  async #admit(signal: AbortSignal): Promise<Disposable & { succeeded(): void; failed(error: unknown): void }> {
    this.#calls++;
    let free = () => {};
    const leave = () => {
      free();
      if (--this.#calls === 0) this.#onIdle?.();
    };
    try {
      free = await this.#slots.acquire(signal);
      this.#circuit.enter();
    } catch (error) {
      leave();
      throw error;
    }
    const circuit = this.#circuit;
    let isSaid = false;
    const say = (what: () => void) => {
      if (!isSaid) what();
      isSaid = true;
    };
    return {
      succeeded: () => say(() => circuit.succeeded()),
      failed: (error) => say(() => tell(circuit, error, signal)),
      [Symbol.dispose]() {
        say(() => circuit.left());
        leave();
      },
    };
  }

  /** What goes along: who calls does not. */
  #context(
    call: DispatchedCall,
    timeoutMs: number = this.record.config.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  ): OperationContext {
    const own = this.#clock.now() + timeoutMs;
    const deadlineMs = call.deadline === null ? own : Math.min(own, call.deadline);
    const observer = this.#observer;
    return {
      requestId: call.requestId,
      signal: call.signal,
      ...(deadlineMs !== Infinity && { deadlineMs }),
      progress: (value) => observer.progress?.(call, this.#mask().json(value)),
    };
  }

  #checked(answer: ResponseEnvelope): ResponseEnvelope {
    const { config, name } = this.record;
    const { meta } = answer;
    if (config.type !== "mcp" || config.toolErrors !== "fail" || meta.source !== "mcp" || !meta.isError) return answer;
    const texts = meta.content.flatMap(({ type, text }) => type === "text" && typeof text === "string" ? [text] : []);
    const message = texts.join("\n").slice(0, 4_096) || `A tool of "${name}" failed`;
    throw new CallError("EXECUTION_ERROR", message, { content: meta.content });
  }
}

function tell(circuit: Circuit, error: unknown, signal: AbortSignal): void {
  if (signal.aborted || !(error instanceof CallError)) return circuit.left();
  const { code, details } = error;
  const statusCode = typeof details === "object" && details !== null && "statusCode" in details
    ? details.statusCode
    : null;
  const isTrouble = code === "UNAVAILABLE" || code === "TIMEOUT" || SERVICE_TROUBLE.has(statusCode);
  if (isTrouble) circuit.failed();
  else circuit.succeeded();
}

function toCallError(error: unknown, signal: AbortSignal | undefined): CallError {
  if (error instanceof CallError) return error;
  return signal?.aborted ? new CallError("ABORTED", "The call was aborted") : mapError(error);
}
