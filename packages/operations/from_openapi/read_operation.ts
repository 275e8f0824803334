import { type TSchema, Type } from "@alkdev/typebox";
import type { SchemaReader } from "../from_schema.ts";
import { isObject, type JsonObject } from "../json_schema_keywords.ts";
import type { Parameter } from "./encode_parameters.ts";
import { type MediaKind, mediaKind } from "./media_type.ts";
import type { DocumentOperation, OpenAPIDocument } from "./openapi_document.ts";

/** The parts of a document's operation that we use. */
export interface ReadOperation {
  readonly parameters: readonly Parameter[];
  readonly bodyType: string | undefined;
  readonly accept: string;
  /** Whether the answer is a stream of server-sent events. */
  readonly streams: boolean;
  readonly inputSchema: TSchema;
  readonly outputSchema: TSchema;
}

/** What reading takes; `warn` is told about schemas that become Unknown. */
export interface ReadContext {
  readonly document: OpenAPIDocument;
  readonly schemas: SchemaReader;
  readonly warn: (message: string) => void;
}

const PLACES = ["path", "query", "header", "cookie"] as const;
/** OpenAPI says to ignore parameters of these names: they are set by what sends. */
const OWN_HEADERS = ["accept", "content-type", "authorization"];
/** The kinds of content in the order we like to send them. */
const BODY_KINDS: readonly MediaKind[] = ["json", "form", "multipart", "text", "bytes"];

export function readOperation(found: DocumentOperation, context: ReadContext): ReadOperation {
  const properties: Record<string, TSchema> = {};
  const body = context.document.follow(found.operation["requestBody"]);
  const bodyContent = pickContent(body?.["content"], BODY_KINDS);
  const parameters: Parameter[] = [];
  for (const raw of found.parameters) {
    const parameter = toParameter(raw, bodyContent !== undefined);
    if (parameter === undefined) continue;
    parameters.push(parameter);
    properties[parameter.property] = parameterSchema(
      raw,
      parameter,
      `${found.place}/parameters/${parameter.name}`,
      context,
    );
  }
  if (bodyContent !== undefined) {
    const schema = readSchema(bodyContent.media["schema"], `${found.place}/requestBody`, context);
    properties["body"] = body?.["required"] === true ? schema : Type.Optional(schema);
  }
  const answer = readAnswer(found, context);
  return {
    parameters,
    bodyType: bodyContent?.type,
    ...answer,
    inputSchema: Type.Object(properties),
  };
}

function toParameter(raw: JsonObject, hasBody: boolean): Parameter | undefined {
  const { name, content } = raw;
  const place = PLACES.find((one) => one === raw["in"]);
  if (typeof name !== "string" || place === undefined) return undefined;
  if (place === "header" && OWN_HEADERS.includes(name.toLowerCase())) return undefined;
  const style = typeof raw["style"] === "string"
    ? raw["style"]
    : place === "query" || place === "cookie"
    ? "form"
    : "simple";
  const explode = typeof raw["explode"] === "boolean" ? raw["explode"] : style === "form";
  const property = hasBody && name === "body" ? `${place}_body` : name;
  return { property, name, in: place, style, explode, json: isObject(content) };
}

function parameterSchema(raw: JsonObject, parameter: Parameter, place: string, context: ReadContext): TSchema {
  const [media] = isObject(raw["content"]) ? Object.values(raw["content"]) : [];
  const described = isObject(media) ? media["schema"] : raw["schema"];
  const schema = readSchema(described, place, context);
  const { description } = raw;
  const told = typeof description === "string" && schema.description === undefined
    ? { ...schema, description }
    : schema;
  return raw["required"] === true || parameter.in === "path" ? told : Type.Optional(told);
}

function readAnswer(
  found: DocumentOperation,
  context: ReadContext,
): Pick<ReadOperation, "accept" | "streams" | "outputSchema"> {
  const all = isObject(found.operation["responses"]) ? Object.entries(found.operation["responses"]) : [];
  // 200 before 201 before 2XX; the default is mostly the error.
  const good = all.filter(([status]) => /^2(\d\d|XX)$/i.test(status)).sort(([a], [b]) => a.localeCompare(b));
  const responses = good.length > 0 ? good : all.filter(([status]) => status === "default");
  const contents = responses.flatMap(([, response]) => {
    const content = context.document.follow(response)?.["content"];
    return isObject(content) ? [content] : [];
  });
  const types = contents.flatMap((content) => Object.keys(content));
  if (types.some((type) => mediaKind(type) === "events")) {
    return { accept: "text/event-stream", streams: true, outputSchema: Type.Unknown() };
  }
  const accept = types.length === 0 ? "*/*" : [...new Set(types)].join(", ");
  const [json] = contents.flatMap((content) => pickContent(content, ["json"]) ?? []);
  // One schema cannot speak for several answers.
  const only = responses.length === 1 && json !== undefined;
  const outputSchema = only ? readSchema(json.media["schema"], `${found.place}/responses`, context) : Type.Unknown();
  return { accept, streams: false, outputSchema };
}

function pickContent(
  content: unknown,
  kinds: readonly MediaKind[],
): { readonly type: string; readonly media: JsonObject } | undefined {
  if (!isObject(content)) return undefined;
  for (const kind of kinds) {
    for (const [type, media] of Object.entries(content)) {
      if (mediaKind(type) === kind && isObject(media)) return { type, media };
    }
  }
  return undefined;
}

/** A schema that we cannot read accepts everything: the service itself still checks what it gets. */
function readSchema(schema: unknown, place: string, context: ReadContext): TSchema {
  if (schema === undefined) return Type.Unknown();
  try {
    return context.schemas.read(schema, place);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.warn(`${reason}. Every value is accepted there`);
    return Type.Unknown();
  }
}
