/**
 * Holds answers of a real hub against its own OpenAPI document: status, content type and body. Fields that the document does not
 * know are errors too, so that it cannot fall behind.
 */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

type Json = Record<string, unknown>;

interface OpenApi extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, DeclaredResponse>>;
}

interface DeclaredResponse {
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
  /** Texts that may be asked for instead. */
  readonly "x-other-types"?: readonly string[];
}

/** An answer to be held against the document. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** These describe the head of what they stand for, on purpose. */
const OPEN = new Set(["Operation"]);

export class HttpContract {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #paths: readonly { readonly pattern: RegExp; readonly path: string }[];
  readonly #validators = new Map<Json, ValidateFunction>();
  /** Operations that have been held against it. */
  readonly seen: Set<string> = new Set();

  constructor(document: OpenApi) {
    this.document = document;
    const schemas = mapObject(document.components.schemas, (schema, name) => OPEN.has(name) ? schema : closed(schema));
    this.#ajv.addSchema({ $id: "hub:document", components: { schemas } });
    this.#paths = Object.keys(document.paths)
      .toSorted((a, b) => a.split("{").length - b.split("{").length)
      .map((path) => ({
        path,
        pattern: new RegExp(`^${path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[A-Za-z]+\}/g, "[^/]+")}$`),
      }));
  }

  /** Paths that no document describes (`/mcp`, `/ws`) are left alone. */
  check({ method, path, status, contentType, body }: Answered): void {
    const pathname = path.replace(/[?#].*$/, "");
    const found = this.#paths.find(({ pattern }) => pattern.test(pathname));
    const operation = found && this.document.paths[found.path]?.[method.toLowerCase()];
    if (operation === undefined) return;
    this.seen.add(operation.operationId);
    const what = `${method} ${path} (${operation.operationId}) answered ${status} ${contentType}`;
    const declared = operation.responses[status] ?? (status >= 400 ? operation.responses.default : undefined);
    assert.ok(declared !== undefined, `${what}: this status is not declared`);
    // A status that is described without a body (422, say) has the body of every error.
    const content = declared.content ?? (status >= 400 ? operation.responses.default?.content : undefined);
    if (content === undefined) return assert.ok(body === "" || body === undefined, `${what}: no body is declared`);
    const type = (contentType ?? "").replace(/;.*$/, "");
    if (declared["x-other-types"]?.includes(type) === true) return;
    const media = Object.entries(content).find(([name]) => name.replace(/;.*$/, "") === type)?.[1];
    assert.ok(media !== undefined, `${what}: wanted ${Object.keys(content).join(" or ")}`);
    if (!type.endsWith("json")) return;
    const validate = this.#validatorOf(media.schema);
    if (validate(body)) return;
    const errors = (validate.errors ?? []).slice(0, 8)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
    assert.fail(`${what}, not as its schema has it: ${errors.join("; ")}\n${JSON.stringify(body).slice(0, 2000)}`);
  }

  #validatorOf(schema: Json): ValidateFunction {
    let validate = this.#validators.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile(relocated(closed(schema)));
      this.#validators.set(schema, validate);
    }
    return validate;
  }
}

/** Objects that name their fields have no others. */
function closed(schema: Json): Json {
  const mapped = mapDeep(schema, closedOnce);
  return relocated(mapped);
}

function closedOnce(schema: Json): Json {
  const isOpen = schema.type === "object" && typeof schema.properties === "object" && schema.properties !== null &&
    Object.keys(schema.properties).length > 0 && schema.additionalProperties === undefined;
  return isOpen ? { ...schema, additionalProperties: false } : schema;
}

/** References point into the one document that the validator knows. */
function relocated(schema: Json): Json {
  return mapDeep(
    schema,
    (one) =>
      typeof one.$ref === "string" && one.$ref.startsWith("#") ? { ...one, $ref: `hub:document${one.$ref}` } : one,
  );
}

function mapDeep(value: Json, change: (schema: Json) => Json): Json {
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return change(mapObject({ ...one }, walk));
  };
  return { ...(walk(value) as Json) }; // an object stays one
}

function mapObject<T, U>(value: Readonly<Record<string, T>>, change: (item: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item, name)]));
}
