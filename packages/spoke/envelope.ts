/** One unit of the wire. */
export interface Envelope {
  readonly type: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function envelope(type: string, payload: Readonly<Record<string, unknown>>): Envelope {
  return { type, id: "", payload };
}

/** The envelopes of a message; what is none is left out: a newer hub may say more than this SDK understands. */
export function parseMessage(data: unknown): readonly Envelope[] {
  if (typeof data !== "string") return [];
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return [];
  }
  const units: readonly unknown[] = Array.isArray(value) ? value : [value];
  return units.filter(isEnvelope);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEnvelope(value: unknown): value is Envelope {
  return isRecord(value) && typeof value["type"] === "string" && isRecord(value["payload"]);
}

/** Whether a text has at most `maxBytes` in UTF-8, with a few to spare; counted only where its length leaves a doubt. */
export function fitsIn(text: string, maxBytes: number): boolean {
  const room = maxBytes - 16;
  if (text.length > room) return false;
  return text.length * 3 <= room || new TextEncoder().encode(text).length <= room;
}
