import type { Json } from "@alkdev/flowgraph";
import { FromSchema } from "@alkdev/operations";
import { Value } from "@alkdev/typebox/value";
import { isObject, type JsonObject } from "../json.ts";

/** What a run asks, in the form in which a client is asked. */
export interface Question {
  /** Key of the node that waits. */
  readonly key: string;
  /** The signal that answers it. */
  readonly signal: string;
  readonly request: { readonly method: string; readonly params: JsonObject };
  /** The question was written as a request of the protocol: its answer is handed over as it comes. */
  readonly isRaw: boolean;
}

const METHODS: ReadonlySet<string> = new Set(["elicitation/create", "sampling/createMessage", "roots/list"]);
const YES_OR_NO: JsonObject = {
  type: "object",
  properties: { approved: { type: "boolean", title: "Approved" } },
  required: ["approved"],
};
/** A form has one text, JSON, where the answer's schema is no form. */
const AS_JSON: JsonObject = {
  type: "object",
  properties: { json: { type: "string", title: "Answer", description: "The answer as JSON" } },
  required: ["json"],
};

/**
 * A Signal's question as a client is asked it. A question is a text; or `{message, requestedSchema?}`; or a request of the
 * protocol, `{method, params}`, of one of the three kinds that clients answer. `schema` is that of the signal's payload.
 */
export function toQuestion(key: string, signal: string, question: Json, schema: Json | null): Question {
  if (isObject(question) && typeof question["method"] === "string" && METHODS.has(question["method"])) {
    const params = isObject(question["params"]) ? question["params"] : {};
    return { key, signal, request: { method: question["method"], params }, isRaw: true };
  }
  const given = isObject(question) ? question : { message: question };
  const message = typeof given["message"] === "string" ? given["message"] : JSON.stringify(question);
  const requestedSchema = isObject(given["requestedSchema"]) ? given["requestedSchema"] : formOf(schema);
  return { key, signal, request: { method: "elicitation/create", params: { message, requestedSchema } }, isRaw: false };
}

/** The names under which questions are put, of questions that wait together: the signal's, or the node's where two share one. */
export function namesOf(questions: readonly Question[]): ReadonlyMap<string, Question> {
  const counts = new Map<string, number>();
  for (const { signal } of questions) counts.set(signal, (counts.get(signal) ?? 0) + 1);
  return new Map(questions.map((it) => [(counts.get(it.signal) ?? 0) > 1 ? it.key : it.signal, it]));
}

/**
 * The signal's payload in what a client answered; undefined where that is no answer to the question. An accepted form is its
 * content; a declined or cancelled one is `{declined: true}`. An answer to a raw question is the payload as it is.
 */
export function payloadOf({ request, isRaw }: Question, response: unknown): Json | undefined {
  if (!isObject(response)) return undefined;
  if (request.method === "roots/list") return Array.isArray(response["roots"]) ? asJson(response) : undefined;
  if (request.method === "sampling/createMessage") {
    return typeof response["role"] === "string" && "content" in response ? asJson(response) : undefined;
  }
  const { action, content } = response;
  if (action === "decline" || action === "cancel") return isRaw ? asJson(response) : { declined: true };
  if (action !== "accept" || !isObject(content) || !fits(request.params["requestedSchema"], content)) return undefined;
  if (isRaw) return asJson(response);
  return request.params["requestedSchema"] === AS_JSON ? parse(content["json"]) : asJson(content);
}

/** What came over a wire is JSON. */
function asJson(value: JsonObject): Json {
  return value as Json;
}

function parse(text: unknown): Json | undefined {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Forms are flat: properties are texts, numbers, booleans, and choices of texts. */
function formOf(schema: Json | null): JsonObject {
  if (schema === null) return YES_OR_NO;
  if (!isObject(schema) || schema["type"] !== "object" || !isObject(schema["properties"])) return AS_JSON;
  const isFlat = Object.values(schema["properties"]).every((property) =>
    isObject(property) && ["string", "number", "integer", "boolean"].includes(String(property["type"]))
  );
  return isFlat ? schema : AS_JSON;
}

function fits(schema: unknown, content: JsonObject): boolean {
  if (!isObject(schema)) return true;
  try {
    return Value.Check(FromSchema(schema), content);
  } catch {
    // A schema that cannot be read is the author's; the engine checks what it can.
    return true;
  }
}
