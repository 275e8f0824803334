import { isObject, type JsonObject } from "../json.ts";

/** Where a schema that is not of an object stands in the object that tools take and give. */
const INPUT = "input";

/** A tool's arguments are an object: other inputs are its property `input`. */
export function toInputSchema(schema: unknown): { readonly type: "object" } & Record<string, unknown> {
  if (takesObject(schema)) return { ...schema, type: "object" };
  if (!isObject(schema) || Object.keys(schema).length === 0) return { type: "object" };
  return { type: "object", properties: { [INPUT]: schema }, required: [INPUT] };
}

/** What the workflow or operation is given for a tool's arguments. */
export function toInput(schema: unknown, args: JsonObject): unknown {
  if (takesObject(schema) || !isObject(schema) || Object.keys(schema).length === 0) return args;
  return args[INPUT];
}

/** Structured content is an object; schemas of other values are those of its property `output`. Undefined: nothing is promised. */
export function toOutputSchema(schema: unknown): ({ readonly type: "object" } & Record<string, unknown>) | undefined {
  if (!isObject(schema) || Object.keys(schema).length === 0) return undefined;
  if (schema["type"] === "object") return { ...schema, type: "object" };
  // Of a union it cannot be told whether its values are objects.
  if (typeof schema["type"] !== "string") return undefined;
  return { type: "object", properties: { output: schema }, required: ["output"] };
}

function takesObject(schema: unknown): schema is JsonObject {
  return isObject(schema) && (schema["type"] === "object" || "properties" in schema || "allOf" in schema);
}
