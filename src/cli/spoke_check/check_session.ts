import { isResponseEnvelope } from "@alkdev/operations";

/** An envelope as the spoke sent it. */
export interface SeenMessage {
  /** Ms since the epoch. */
  readonly at: number;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** It came in an array of several. */
  readonly batched: boolean;
}

/** How the hub that is played answers `hub.register`. */
export interface RegistrationAnswer {
  readonly spokeId: string;
  readonly resume: string;
  readonly resumed: boolean;
  readonly heartbeatMs: number;
  readonly batch: boolean;
}

/** A `call.requested`. */
export interface RequestEnvelope extends Readonly<Record<string, unknown>> {
  readonly type: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>> & { readonly requestId: string };
}

/** What a session asks of whoever plays the hub. */
export interface CheckSessionHost {
  /** Throws an error whose message says why the registration is refused. */
  register(input: unknown): RegistrationAnswer;
}

const OUTCOMES: ReadonlySet<string> = new Set(["call.responded", "call.completed", "call.error"]);
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const MAX_ODDITIES = 50;

/**
 * One socket of the spoke under check. Everything that comes is kept and looked at by the checks; what is against the protocol
 * whenever it comes is listed in `oddities`.
 */
export class CheckSession {
  readonly messages: SeenMessage[] = [];
  readonly oddities: string[] = [];
  /** The hub's answer; null until the spoke has registered. */
  registered: RegistrationAnswer | null = null;
  /** What the spoke said at registration. */
  registration: Readonly<Record<string, unknown>> | null = null;
  refusal: string | null = null;
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #host: CheckSessionHost;
  readonly #asked = new Map<string, "call" | "stream">();
  readonly #ended = new Set<string>();
  readonly #watchers = new Set<() => void>();

  constructor(socket: WebSocket, host: CheckSessionHost) {
    this.#socket = socket;
    this.#host = host;
    socket.addEventListener("message", ({ data }) => {
      this.#receive(data);
      this.#look();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#look();
    });
    socket.addEventListener("error", () => this.#look());
  }

  /** Gives what `find` finds, now or when something has come; null when nothing was found within `withinMs`. */
  until<T>(find: () => T | null | undefined | false, withinMs: number): Promise<T | null> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === null || found === undefined || found === false) return;
        stop(found);
      };
      const stop = (found: T | null): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => stop(null), withinMs);
      this.#watchers.add(look);
      look();
    });
  }

  /** Sends text as it is. */
  raw(text: string | ArrayBuffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Sends one message with these envelopes: alone, or as an array. */
  send(...envelopes: readonly Readonly<Record<string, unknown>>[]): void {
    this.raw(JSON.stringify(envelopes.length === 1 ? envelopes[0] : envelopes));
  }

  /** Asks for a call; gives its request id. */
  request(operationId: string, input: unknown, more: Readonly<Record<string, unknown>> = {}): string {
    const envelope = this.requestOf(operationId, input, more);
    this.send(envelope);
    return envelope.payload.requestId;
  }

  /** A request that is taken note of, for {@linkcode send}. */
  requestOf(
    operationId: string,
    input: unknown,
    more: Readonly<Record<string, unknown>> = {},
  ): RequestEnvelope {
    const given = more["requestId"];
    const requestId = typeof given === "string" ? given : crypto.randomUUID();
    this.#asked.set(requestId, operationId === "check.count" ? "stream" : "call");
    this.#ended.delete(requestId);
    return {
      type: "call.requested",
      id: "",
      payload: {
        operationId,
        input,
        identity: { id: "check", scopes: [] },
        metadata: {},
        ...more,
        requestId,
      },
    };
  }

  abort(requestId: string): void {
    this.send({ type: "call.aborted", id: "", payload: { requestId } });
  }

  /** What the spoke said about a call, in order. */
  answersTo(requestId: string): readonly SeenMessage[] {
    return this.messages.filter(({ type, payload }) => OUTCOMES.has(type) && payload["requestId"] === requestId);
  }

  /** Calls that the spoke made on the hub. */
  callsOf(operationId: string): readonly SeenMessage[] {
    return this.messages.filter(({ type, payload }) =>
      type === "call.requested" && payload["operationId"] === operationId
    );
  }

  /** Ends the connection; a cut goes without a word about why. */
  close(code?: number, reason?: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // Closed already.
    }
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }

  #receive(data: unknown): void {
    if (typeof data !== "string") return this.#odd("a message that is not text");
    if (new TextEncoder().encode(data).length > MAX_FRAME_BYTES) this.#odd("a message of more than 4 MiB");
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      return this.#odd(`a message that is not JSON: ${quote(data)}`);
    }
    if (Array.isArray(value)) {
      if (this.registered?.batch !== true) this.#odd("an array of envelopes without both sides having said batch");
      for (const unit of value) this.#receiveOne(unit, value.length > 1);
    } else this.#receiveOne(value, false);
  }

  #receiveOne(unit: unknown, batched: boolean): void {
    if (!isRecord(unit) || typeof unit["type"] !== "string" || !isRecord(unit["payload"])) {
      return this.#odd(`a message that is no envelope {type, id, payload}: ${quote(JSON.stringify(unit))}`);
    }
    const { type, payload } = unit;
    if (unit["id"] !== "") this.#odd(`an envelope "${type}" whose id is ${quote(JSON.stringify(unit["id"]))}`);
    this.messages.push({ at: Date.now(), type, payload, batched });
    const { requestId } = payload;
    if (type === "__subscribe" || type === "__unsubscribe") return;
    if (typeof requestId !== "string" || requestId === "" || requestId.length > 200) {
      return this.#odd(`an envelope "${type}" without a requestId of 1 to 200 characters`);
    }
    if (type === "call.requested") this.#answer(requestId, payload);
    else if (OUTCOMES.has(type)) this.#outcome(type, requestId, payload);
    else if (type !== "call.aborted") this.#odd(`an envelope of unknown type "${type}"`);
  }

  #outcome(type: string, requestId: string, payload: Readonly<Record<string, unknown>>): void {
    const kind = this.#asked.get(requestId);
    if (kind === undefined) {
      return this.#odd(`"${type}" of a call that was not asked for on this socket: ${quote(requestId)}`);
    }
    if (this.#ended.has(requestId)) this.#odd(`"${type}" of a call that had ended: ${quote(requestId)}`);
    if (kind === "call" || type !== "call.responded") this.#ended.add(requestId);
    const { output } = payload;
    const whole = isRecord(output) && !("data" in output) ? { ...output, data: null } : output;
    if (type === "call.responded" && !isResponseEnvelope(whole)) {
      this.#odd(
        `an output that is not {data, meta: {source, operationId, timestamp}}: ${quote(JSON.stringify(output))}`,
      );
    }
    if (type === "call.error" && (typeof payload["code"] !== "string" || typeof payload["message"] !== "string")) {
      this.#odd(`"call.error" without code and message as text: ${quote(JSON.stringify(payload))}`);
    }
  }

  /** Answers as a hub does. */
  #answer(requestId: string, { operationId, input }: Readonly<Record<string, unknown>>): void {
    const respond = (data: unknown): void => {
      const meta = { source: "local", operationId, timestamp: Date.now() };
      // A field that no release has: whoever is strict about those fails with a newer hub.
      this.send({ type: "call.responded", id: "", payload: { requestId, output: { data, meta }, future: true } });
    };
    const fail = (code: string, message: string): void =>
      this.send({ type: "call.error", id: "", payload: { requestId, code, message } });
    if (operationId === "hub.register") return this.#register(input, respond, fail);
    if (this.registered === null) {
      this.#odd(`a call of ${quote(String(operationId))} before the registration was answered`);
      return fail("NOT_REGISTERED", `Cannot call "${String(operationId)}" before "hub.register"`);
    }
    switch (operationId) {
      case "hub.heartbeat":
        return respond({ at: Date.now() });
      case "hub.progress":
      case "hub.log":
        return respond({ known: true });
      case "hub.drain":
        return respond({ inFlight: 0 });
      default:
        return fail("OPERATION_NOT_FOUND", `Operation "${String(operationId)}" is not offered by the hub of the check`);
    }
  }

  #register(input: unknown, respond: (data: unknown) => void, fail: (code: string, message: string) => void): void {
    try {
      const answer = this.#host.register(input);
      this.registration = isRecord(input) ? input : {};
      respond({ ...answer, hubId: "check", maxFrameBytes: MAX_FRAME_BYTES });
      this.registered = answer;
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
      fail("VALIDATION_ERROR", this.refusal);
    }
  }

  #odd(what: string): void {
    if (this.oddities.length < MAX_ODDITIES) this.oddities.push(what);
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** At most 120 characters of a text, in quotes. */
export function quote(text: string | undefined): string {
  const shown = text ?? "undefined";
  return `"${shown.length > 120 ? `${shown.slice(0, 117)}…` : shown}"`;
}
