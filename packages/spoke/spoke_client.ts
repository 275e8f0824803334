import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import { Deferred } from "./deferred.ts";
import { backoffMs } from "./backoff.ts";
import { CallRunner, withDefaults } from "./call_runner.ts";
import type { SpokeHandle } from "./spoke_handle.ts";
import { isRecord } from "./envelope.ts";
import type { HubCallOptions } from "./hub_calls.ts";
import { HubConnection } from "./hub_connection.ts";
import { toSocketUrls } from "./socket_url.ts";
import { toHubRequest } from "./spoke_call.ts";
import type { SocketConstructor, SpokeClock, SpokeOptions, SpokeState } from "./spoke_options.ts";
import { systemClock } from "./system_clock.ts";

/** Registration errors that trying again does not mend. */
const FATAL: ReadonlySet<string> = new Set(["ACCESS_DENIED", "OPERATION_CONFLICT", "VALIDATION_ERROR"]);
/** What the hub takes for said where nothing is. */
const DEFAULT_CONCURRENCY = 16;
const MAX_BACKOFF_MS = 10_000;
/** How long a call runs on after a reconnect without the hub asking for it again. */
const UNWANTED_MS = 30_000;
const MISSED_HEARTBEATS = 3;
/** How long the hub may take to answer a close. */
const GOODBYE_MS = 2_000;

/** The one behind {@linkcode SpokeHandle}: a sequence of connections around one {@linkcode CallRunner}. */
export class SpokeClient implements SpokeHandle {
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  spokeId: string | null = null;
  #state: SpokeState = "connecting";
  readonly #options: SpokeOptions;
  readonly #clock: SpokeClock;
  readonly #Socket: SocketConstructor;
  readonly #urls: readonly string[];
  readonly #runner: CallRunner;
  readonly #ready = new Deferred();
  readonly #closed = new Deferred();
  /** Deno's own WebSocket leaves Nagle's algorithm on; others switch it off. */
  readonly #hasNagle: boolean;
  #connection: HubConnection | null = null;
  #resume: string | null = null;
  /** Attempts since the last registration. */
  #attempt = 0;
  /** Number of the hub in turn. */
  #hub = 0;
  #cancelTimer: () => void = () => {};
  #cancelUnwanted: () => void = () => {};
  #onIdle: () => void = () => {};

  constructor(options: SpokeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#Socket = options.WebSocket ?? globalSocket();
    this.#hasNagle = options.WebSocket === undefined && Reflect.has(globalThis, "Deno");
    this.#urls = toSocketUrls(options.url);
    this.#runner = new CallRunner({
      operations: options.operations,
      clock: this.#clock,
      maxConcurrency: options.maxConcurrency ?? DEFAULT_CONCURRENCY,
      send: (text) => this.#connection?.outbox.writeText(text),
      isFull: () => this.#connection?.outbox.isFull ?? false,
      tell: (operationId, input) => {
        this.#connection?.calls.call(operationId, input).catch(() => {});
      },
      onIdle: () => this.#onIdle(),
    });
    this.ready = this.#ready.promise;
    this.closed = this.#closed.promise;
    // Whoever does not look at them is told by onState.
    this.ready.catch(() => {});
    this.closed.catch(() => {});
    this.#connect();
  }

  get state(): SpokeState {
    return this.#state;
  }

  async call(operationId: string, input: unknown, options?: HubCallOptions): Promise<ResponseEnvelope> {
    return await this.#connected().calls.call(operationId, input, options);
  }

  async *subscribe(
    operationId: string,
    input: unknown,
    options?: HubCallOptions,
  ): AsyncGenerator<ResponseEnvelope, void, undefined> {
    yield* this.#connected().calls.subscribe(operationId, input, options);
  }

  async drain(): Promise<void> {
    if (this.#state === "closed") return await this.closed;
    this.#setState("draining");
    try {
      if (this.#options.operations.length > 0) await this.#connection?.calls.call("hub.drain", {});
    } catch {
      // Not connected: nothing new comes in either way.
    }
    if (this.#runner.running > 0) await new Promise<void>((resolve) => this.#onIdle = resolve);
    await this.close();
  }

  close(): Promise<void> {
    this.#finish(null);
    return this.closed;
  }

  #connected(): HubConnection {
    if (this.#connection !== null && this.#connection.isOpen) return this.#connection;
    throw new CallError("CONNECTION_LOST", `Cannot call the hub as spoke "${this.#options.name}" is ${this.#state}`);
  }

  #connect(): void {
    const { key } = this.#options;
    let socket;
    try {
      socket = new this.#Socket(this.#urls[this.#hub % this.#urls.length] ?? "", ["alkdev.v1", `bearer.${key}`]);
    } catch (error) {
      // A malformed address or key: no attempt will ever do better.
      return this.#finish(error instanceof Error ? error : new Error(String(error)));
    }
    const connection = new HubConnection(socket, this.#clock, {
      open: () => this.#opened(connection),
      request: (payload) => {
        const request = toHubRequest(payload);
        if (request !== null) this.#runner.start(request);
      },
      abort: (requestId) => this.#runner.abort(requestId),
      drain: () => {
        if (this.#state === "connected") this.drain().catch(() => {});
      },
      closed: (error) => this.#disconnected(connection, error),
    });
    this.#connection = connection;
  }

  #opened(connection: HubConnection): void {
    this.#runner.disown();
    const { operations } = this.#options;
    if (operations.length === 0) return this.#isUp(connection);
    connection.calls.call("hub.register", this.#registration()).then(
      ({ data }) => this.#registered(connection, isRecord(data) ? data : {}),
      (error: CallError) => {
        if (FATAL.has(error.code)) this.#finish(error);
        else connection.close(1000, "Registration failed");
      },
    );
  }

  #registration(): Readonly<Record<string, unknown>> {
    const { name, spokeType, version, maxConcurrency, labels, hostInfo, operations } = this.#options;
    const resume = this.#resume ?? undefined;
    const specs = operations.map((operation) => ({ ...withDefaults(operation), handler: undefined }));
    const acks = this.#hasNagle;
    // Undefined fields do not reach the wire.
    return { name, spokeType, version, maxConcurrency, labels, hostInfo, batch: true, acks, resume, operations: specs };
  }

  #registered(connection: HubConnection, answer: Readonly<Record<string, unknown>>): void {
    const { spokeId, resume, heartbeatMs, batch, maxFrameBytes } = answer;
    if (typeof maxFrameBytes === "number") this.#runner.maxFrameBytes = maxFrameBytes;
    if (typeof spokeId === "string") this.spokeId = spokeId;
    if (typeof resume === "string") this.#resume = resume;
    connection.outbox.batch = batch === true;
    connection.outbox.acks = connection.outbox.batch && this.#hasNagle;
    if (typeof heartbeatMs === "number") this.#heartbeat(connection, heartbeatMs);
    this.#cancelUnwanted();
    this.#cancelUnwanted = this.#clock.after(UNWANTED_MS, () => this.#runner.abortUnwanted());
    this.#isUp(connection);
  }

  #isUp(connection: HubConnection): void {
    connection.wasUp = true;
    this.#attempt = 0;
    if (this.#state === "draining") this.#connection?.calls.call("hub.drain", {}).catch(() => {});
    else this.#setState("connected");
    this.#ready.resolve();
  }

  #heartbeat(connection: HubConnection, everyMs: number): void {
    this.#cancelTimer = this.#clock.after(everyMs, () => {
      if (this.#clock.now() - connection.lastReceivedAt > MISSED_HEARTBEATS * everyMs) {
        return connection.close(4002, "The hub has fallen silent");
      }
      const load = Math.min(1, this.#runner.running / (this.#options.maxConcurrency ?? DEFAULT_CONCURRENCY));
      connection.calls.call("hub.heartbeat", { load }).catch(() => {});
      this.#heartbeat(connection, everyMs);
    });
  }

  #disconnected(connection: HubConnection, error: Error): void {
    if (this.#connection !== connection || this.#state === "closed") return;
    this.#connection = null;
    this.#cancelTimer();
    this.#cancelUnwanted();
    this.#runner.disown();
    if (this.#state !== "draining") this.#setState("connecting", error);
    const { maxBackoffMs = MAX_BACKOFF_MS, random = Math.random } = this.#options;
    // The hub that had taken it comes first: only there it is still the same spoke. Then the others, in turn.
    if (this.#attempt > 0 || !connection.wasUp) this.#hub++;
    const round = Math.floor(this.#attempt++ / this.#urls.length);
    this.#cancelTimer = this.#clock.after(backoffMs(round, maxBackoffMs, random), () => this.#connect());
  }

  #finish(error: Error | null): void {
    if (this.#state === "closed") return;
    this.#cancelTimer();
    this.#cancelUnwanted();
    this.#runner.abortAll("The spoke is closing");
    const connection = this.#connection;
    this.#connection = null;
    this.#setState("closed", error ?? undefined);
    this.#ready.reject(error ?? new CallError("CONNECTION_LOST", "The spoke was closed before it was connected"));
    if (error !== null) this.#closed.reject(error);
    connection?.close(1000, "Spoke is leaving");
    if (error !== null) return;
    if (connection === null) return this.#closed.resolve();
    // Who ends the process now would cut off the last answers and the goodbye.
    const cancel = this.#clock.after(GOODBYE_MS, () => this.#closed.resolve());
    connection.gone.then(() => {
      cancel();
      this.#closed.resolve();
    });
  }

  #setState(state: SpokeState, error?: Error): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state, error);
  }
}

function globalSocket(): SocketConstructor {
  const found: unknown = Reflect.get(globalThis, "WebSocket");
  if (typeof found !== "function") {
    throw new TypeError('Cannot connect as there is no global WebSocket: give one in the option "WebSocket"');
  }
  return WebSocket;
}
