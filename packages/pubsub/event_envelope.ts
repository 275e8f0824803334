/** What travels: minimal on purpose. No parent, time or sender; causality belongs to the layers above. */
export interface EventEnvelope<TType extends string = string, TPayload = unknown> {
  readonly type: TType;
  /** What the event is about; empty for events that concern everybody. */
  readonly id: string;
  readonly payload: TPayload;
}

/** The topic of a type and an id, `type + ":" + id`: what listeners listen on and what every adapter routes by. */
export function toTopic(type: string, id: string): string {
  return `${type}:${id}`;
}

/** Whether the type is kept for adapter control messages. */
export function isReservedType(type: string): boolean {
  return type.startsWith("__");
}

/** Whether `value` has the shape of an envelope; a missing payload (JSON drops undefined) is allowed. */
export function isEventEnvelope(value: unknown): value is EventEnvelope {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" &&
    "id" in value && typeof value.id === "string";
}
