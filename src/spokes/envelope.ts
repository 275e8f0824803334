import { CallError } from "@alkdev/operations";

/** One unit of the wire. `id` is "" for call events; correlation is by `payload.requestId`. */
export interface Envelope {
  readonly type: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What a peer sent makes no sense. Answered, counted, and otherwise without effect. */
export class FrameError extends Error {
  /** The call it is about, where that can be told. */
  readonly requestId: string | undefined;

  constructor(message: string, requestId?: string) {
    super(message);
    this.name = "FrameError";
    this.requestId = requestId;
  }
}

const MAX_BATCH = 10_000;

/**
 * The units of a message: one, or with `batch` as many as the array has.
 *
 * @throws {FrameError} for anything but JSON text of at most `maxBytes`
 */
export function parseFrame(data: unknown, maxBytes: number, batch: boolean): readonly unknown[] {
  if (typeof data !== "string") throw new FrameError("Message is binary: wanted JSON text");
  if (exceeds(data, maxBytes)) throw new FrameError(`Message is too large: wanted at most ${maxBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new FrameError("Message is not JSON");
  }
  if (!Array.isArray(value)) return [value];
  if (!batch) throw new FrameError('Message is an array: wanted an object, as "batch" was not agreed at registration');
  if (value.length > MAX_BATCH) {
    throw new FrameError(`Message has ${value.length} envelopes: wanted at most ${MAX_BATCH}`);
  }
  return value;
}

/** @throws {FrameError} */
export function toEnvelope(value: unknown): Envelope {
  if (!isRecord(value)) throw new FrameError("Envelope is not an object: wanted {type, id, payload}");
  const { type, id, payload } = value;
  if (typeof type !== "string") throw new FrameError('Envelope field "type" is not a string');
  if (id !== undefined && typeof id !== "string") throw new FrameError('Envelope field "id" is not a string');
  if (!isRecord(payload)) {
    throw new FrameError(`Payload of ${quote(type)} is not an object`);
  }
  // What was read is kept as it is, where nothing is to be filled in: there is one for each answer.
  return typeof id === "string" ? value as Record<string, unknown> & Envelope : { type, id: "", payload };
}

/** @throws {FrameError} */
export function requestIdOf(envelope: Envelope): string {
  const { requestId } = envelope.payload;
  if (typeof requestId === "string" && requestId !== "" && requestId.length <= 200) return requestId;
  throw new FrameError(`Payload of "${envelope.type}" has no "requestId": wanted a string of 1 to 200 characters`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether `text` has more than `maxBytes` in UTF-8, counted only where its length leaves a doubt. */
export function exceeds(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

export function envelope(type: string, payload: Readonly<Record<string, unknown>>): Envelope {
  return { type, id: "", payload };
}

export function errorEnvelope(requestId: string, error: CallError): Envelope {
  const { code, message, details } = error;
  return envelope("call.error", { requestId, code, message, ...(details === undefined ? {} : { details }) });
}

export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
