import { CallError, localEnvelope, type LogLevel } from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import type { CallRouter } from "./call_router.ts";
import {
  type Envelope,
  envelope,
  errorEnvelope,
  FrameError,
  isRecord,
  parseFrame,
  quote,
  requestIdOf,
  toEnvelope,
} from "./envelope.ts";
import { FrameWriter } from "./frame_writer.ts";
import { type InboundCall, InboundCalls, noteRefusal } from "./inbound_calls.ts";
import type { CallObserver, HubCalls, RunEventsPort, SpokeLog, SpokePrincipal, SpokeSocket } from "./ports.ts";
import { decodeRegistration, type Registration } from "./registration.ts";
import type { Spoke, SpokeLink } from "./spoke.ts";

/** Meaningless messages that a peer may send before its socket is closed. */
export const MAX_BAD_FRAMES = 10;

const OUTCOMES: ReadonlySet<string> = new Set(["call.responded", "call.completed", "call.error"]);
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** What a connection needs of the pool. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly maxFrameBytes: number;
  readonly calls: HubCalls;
  readonly runEvents: RunEventsPort | undefined;
  readonly observer: CallObserver;
  readonly router: CallRouter;
  readonly log: SpokeLog | undefined;
  /** Admits a spoke: known, stored and active, or rejected with a CallError. Answers through the connection. */
  register(connection: Connection, registration: Registration, requestId: string): Promise<void>;
  /** The spoke is leaving, it says. */
  drained(spoke: Spoke): void;
  closed(connection: Connection): void;
}

/** One socket: frames in, frames out. Nothing of it survives the socket. */
export class Connection implements SpokeLink {
  readonly principal: SpokePrincipal;
  /** Null until it has registered operations; for a plain client it stays so. */
  spoke: Spoke | null = null;
  /** What `spoke` may come back with; null as long as that is. */
  resumeToken: string | null = null;
  isClosed = false;
  readonly #host: ConnectionHost;
  readonly #socket: SpokeSocket;
  readonly #writer: FrameWriter;
  readonly #inbound: InboundCalls;
  #badFrames = 0;
  /** Of each unit of the message that is being read, on average. */
  #unitChars = 0;
  #registering = false;
  #acks = false;

  constructor(host: ConnectionHost, socket: SpokeSocket, principal: SpokePrincipal) {
    this.#host = host;
    this.#socket = socket;
    this.principal = principal;
    const { clock, maxFrameBytes, calls, runEvents } = host;
    this.#writer = new FrameWriter({
      socket,
      maxFrameBytes,
      afterTurn: (callback) => clock.afterTurn(callback),
      onBackpressure: () => this.close(1013, "Messages are not read fast enough"),
    });
    this.#inbound = new InboundCalls({
      clock,
      principal,
      calls,
      runEvents,
      write: (message) => this.write(message),
      fail: (requestId, error) => this.fail(requestId, error),
    });
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => this.#onClose());
    socket.addEventListener("error", () => this.close(1011, "Socket failed"));
  }

  write(message: Envelope): void {
    this.#writer.write(message);
  }

  writeText(text: string, type: string): void {
    this.#writer.writeText(text, type);
  }

  /** What comes after it, on this socket, may come in arrays; with `acks`, each message is answered in its turn. */
  agreeOnBatches(acks: boolean): void {
    this.#writer.batch = true;
    this.#acks = acks;
  }

  respond(requestId: string, operationId: string, data: unknown): void {
    this.write(envelope("call.responded", { requestId, output: localEnvelope(data, operationId) }));
  }

  /** Says that a call has failed; what passes the frame limit, or has no JSON form, is left out. Never throws. */
  fail(requestId: string, error: CallError): void {
    try {
      this.write(errorEnvelope(requestId, error));
    } catch {
      this.write(errorEnvelope(requestId, new CallError(error.code.slice(0, 200), error.message.slice(0, 200))));
    }
  }

  close(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#writer.flush();
    try {
      this.#socket.close(code, reason);
    } catch {
      // Closed already.
    }
    // A peer that is gone never answers the close: its state must not wait for that.
    this.#onClose();
  }

  #onClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#writer.close();
    this.#inbound.close();
    this.#host.closed(this);
  }

  #receive(data: unknown): void {
    if (this.isClosed) return;
    if (this.#acks) this.#writer.acknowledge();
    if (this.spoke !== null) this.spoke.lastSeenAt = this.#host.clock.now();
    try {
      const units = parseFrame(data, this.#host.maxFrameBytes, this.#writer.batch);
      this.#unitChars = String(data).length / units.length;
      for (const unit of units) this.#receiveUnit(unit);
    } catch (error) {
      this.#reject(error, undefined);
    }
  }

  #receiveUnit(unit: unknown): void {
    if (this.isClosed) return;
    try {
      this.#handle(toEnvelope(unit));
    } catch (error) {
      const payload = isRecord(unit) && isRecord(unit["payload"]) ? unit["payload"] : {};
      const { requestId } = payload;
      this.#reject(error, typeof requestId === "string" && requestId.length <= 200 ? requestId : undefined);
    }
  }

  /** Answers what made no sense; after ten such messages the peer is sent away. */
  #reject(error: unknown, requestId: string | undefined): void {
    if (!(error instanceof FrameError)) this.#host.log?.warn("Message could not be handled: {error}", { error });
    const message = error instanceof FrameError ? error.message : "Message could not be handled";
    const about = error instanceof FrameError ? error.requestId ?? requestId : requestId;
    const problem = new CallError("BAD_FRAME", message);
    if (about !== undefined) this.fail(about, problem);
    else this.write(envelope("error", { code: problem.code, message }));
    if (++this.#badFrames < MAX_BAD_FRAMES) return;
    const { keyId, orgId } = this.principal;
    this.#host.log?.warn("Socket closed after {count} bad messages", { count: this.#badFrames, keyId, orgId });
    this.close(1008, `${MAX_BAD_FRAMES} messages made no sense`);
  }

  #handle(message: Envelope): void {
    const { type } = message;
    if (type === "call.requested") return this.#requested(toInboundCall(message));
    if (type === "call.aborted") return this.#aborted(message);
    if (OUTCOMES.has(type)) return this.#outcome(message);
    // Call events are addressed to their socket: there is nothing to subscribe to, and clients that ask are content.
    if (type === "__subscribe" || type === "__unsubscribe") {
      if (typeof message.payload["topic"] === "string") return;
      throw new FrameError(`Payload of "${type}" has no "topic": wanted a string`);
    }
    throw new FrameError(`Type ${quote(type)} is not known`);
  }

  #aborted(message: Envelope): void {
    const requestId = requestIdOf(message);
    if (this.#inbound.abort(requestId) || this.spoke === null) return;
    // A call that ended in the meantime is none of this spoke's any more: aborting it is no mistake.
    if (this.spoke.inFlight.has(requestId)) this.#host.router.outcome(this.spoke, requestId, message, 0);
  }

  #outcome(message: Envelope): void {
    const requestId = requestIdOf(message);
    if (this.spoke === null) {
      throw new FrameError(`Call "${requestId}" of "${message.type}" was not sent to this socket`, requestId);
    }
    this.#host.router.outcome(this.spoke, requestId, message, this.#unitChars);
  }

  #requested(call: InboundCall): void {
    const { requestId, operationId } = call;
    try {
      switch (operationId) {
        case "hub.register":
          return this.#register(call);
        case "hub.heartbeat":
          return this.respond(requestId, operationId, this.#heartbeat(call.input));
        case "hub.progress":
        case "hub.log":
          return this.respond(requestId, operationId, this.#observe(call));
        case "hub.drain":
          this.#host.drained(this.#needSpoke(operationId));
          return this.respond(requestId, operationId, { inFlight: this.#needSpoke(operationId).inFlight.size });
        default:
          return this.#inbound.start(call);
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.fail(requestId, error);
    }
  }

  #register({ requestId, input }: InboundCall): void {
    if (this.#registering) {
      throw new CallError("VALIDATION_ERROR", "A registration of this socket is already on its way");
    }
    const registration = decodeRegistration(input);
    this.#registering = true;
    this.#host.register(this, registration, requestId).catch((error: unknown) => {
      if (!(error instanceof CallError)) this.#host.log?.warn("Spoke could not be registered: {error}", { error });
      const known = error instanceof CallError
        ? error
        : new CallError("EXECUTION_ERROR", "The hub could not register this spoke");
      noteRefusal({ calls: this.#host.calls, principal: this.principal }, "hub.register", known);
      this.fail(requestId, known);
    }).finally(() => {
      this.#registering = false;
    });
  }

  #heartbeat(input: unknown): { readonly at: number } {
    const spoke = this.#needSpoke("hub.heartbeat");
    const load = isRecord(input) ? input["load"] : undefined;
    if (typeof load === "number" && Number.isFinite(load)) spoke.load = load;
    return { at: this.#host.clock.now() };
  }

  /** `known: false` says that nobody waits for that call any more. */
  #observe({ operationId, input }: InboundCall): { readonly known: boolean } {
    const spoke = this.#needSpoke(operationId);
    if (!isRecord(input) || typeof input["requestId"] !== "string") {
      throw new CallError(
        "VALIDATION_ERROR",
        `Input of "${operationId}" has no "requestId": wanted that of the call worked on`,
      );
    }
    const remote = spoke.inFlight.get(input["requestId"]);
    if (remote === undefined) return { known: false };
    const { observer } = this.#host;
    if (operationId === "hub.progress") {
      observer.progress?.(remote.call, input["value"] ?? null);
      return { known: true };
    }
    const level = LEVELS.find((known) => known === input["level"]) ?? "info";
    observer.log?.(remote.call, level, String(input["message"] ?? ""), input["data"] ?? null);
    return { known: true };
  }

  #needSpoke(operationId: string): Spoke {
    if (this.spoke !== null) return this.spoke;
    throw new CallError("NOT_REGISTERED", `Cannot call "${operationId}" before "hub.register"`);
  }
}

function toInboundCall(message: Envelope): InboundCall {
  const requestId = requestIdOf(message);
  const { operationId, input, deadline } = message.payload;
  if (typeof operationId !== "string" || operationId === "") {
    throw new FrameError('Payload of "call.requested" has no "operationId": wanted a string', requestId);
  }
  if (deadline !== undefined && !(typeof deadline === "number" && Number.isFinite(deadline))) {
    throw new FrameError(`Field "deadline" is ${quote(deadline)}: wanted ms since the epoch`, requestId);
  }
  return { requestId, operationId, input: input ?? {}, deadline: deadline ?? null };
}
