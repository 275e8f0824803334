import type { Binding } from "@alkdev/flowgraph";

/** A form of the user. */
export function form(
  message: string,
  properties: Readonly<Record<string, Binding>>,
  required: readonly string[] = Object.keys(properties),
): Binding {
  return { message, requestedSchema: { type: "object", properties, required: [...required] } };
}

/** A question to the client's model. */
export function sampling(text: string, maxTokens = 100): Binding {
  return {
    method: "sampling/createMessage",
    params: { messages: [{ role: "user", content: { type: "text", text } }], maxTokens },
  };
}

/** A form whose answer is handed over with what was done with it: accepted, declined, cancelled. */
export function rawForm(
  message: Binding,
  properties: Readonly<Record<string, Binding>>,
  required: readonly string[],
): Binding {
  return {
    method: "elicitation/create",
    params: { message, requestedSchema: { type: "object", properties, required: [...required] } },
  };
}
