import { type TObject, type TSchema, Type } from "@alkdev/typebox";
import { CallError, collectErrors, type ValidationIssue } from "@alkdev/operations";
import { AuthSchemas, type ClientAuth, type ClientConfig, ClientInputSchemas } from "./client_config.ts";
import { parseDocument } from "./openapi_document.ts";

/** A decoded `PUT /api/clients/:name`. */
export interface ClientInput {
  readonly config: ClientConfig;
  /** By name; null: the one that is there stays. */
  readonly secrets: ReadonlyMap<string, string | null>;
  /** Keys of a provider were not given: those that are there stay. */
  readonly keepsKeys: boolean;
  /** An OpenAPI document that was given. */
  readonly document: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Values in these places may be secrets, or hold some: no message quotes them. */
const UNQUOTED = /^\/(auth|headers|env|keys|url|baseUrl|spec|args|command)(\/|$)/;

/** @throws {CallError} `VALIDATION_ERROR` with `details.errors: {path, message}[]`, which quotes nothing that may be secret */
export function readClientInput(body: unknown): ClientInput {
  if (!isFields(body)) throw invalid([{ path: "", message: "is not an object: wanted a client" }]);
  const errors = collectErrors(schemaOf(body), body);
  if (errors.length > 0) throw invalid(errors);
  const secrets = new Map<string, string | null>();
  const { headers, env, keys, auth, spec, url, baseUrl, transport: _transport, ...rest } = body;
  const config: Record<string, unknown> = { ...rest };
  // The schema has looked at all of these.
  if (headers !== undefined) config["headers"] = named("header", headers as Secrets, secrets);
  if (env !== undefined) config["env"] = named("env", env as Secrets, secrets);
  if (auth !== undefined) config["auth"] = readAuth(auth as AuthInput, secrets);
  if (typeof url === "string") config["url"] = readUrl("url", url, secrets, "url.query");
  if (typeof baseUrl === "string") config["baseUrl"] = readUrl("baseUrl", baseUrl, secrets, null).replace(/\/+$/, "");
  let document: string | null = null;
  if (spec !== undefined) {
    const isUrl = typeof spec === "string" && /^https?:\/\//i.test(spec);
    if (!isUrl) document = typeof spec === "string" ? readDocument(spec) : JSON.stringify(spec);
    config["specUrl"] = isUrl ? readUrl("spec", spec, secrets, "spec.query") : null;
  }
  if (Array.isArray(keys)) {
    for (const [index, key] of keys.entries()) secrets.set(`key:${index}`, key as string | null);
  }
  if (config["type"] === "llm-provider") {
    checkModels(config as unknown as Extract<ClientConfig, { type: "llm-provider" }>);
  }
  return {
    // Every field is of the schema that was checked.
    config: config as unknown as ClientConfig,
    secrets,
    keepsKeys: config["type"] === "llm-provider" && keys === undefined,
    document,
  };
}

type Secrets = Readonly<Record<string, string | null>>;
type AuthInput = Readonly<Record<string, string | null>> & { readonly type: ClientAuth["type"] };

function schemaOf(body: Fields): TSchema {
  const { type, auth } = body;
  const schema = type === "mcp"
    ? "command" in body ? ClientInputSchemas.mcpStdio : ClientInputSchemas.mcpHttp
    : type === "openapi"
    ? ClientInputSchemas.openapi
    : type === "llm-provider"
    ? ClientInputSchemas.llmProvider
    : null;
  if (schema === null) {
    throw invalid([{ path: "/type", message: 'is not known: wanted one of "mcp", "openapi", "llm-provider"' }]);
  }
  if (auth === undefined || !("auth" in schema.properties)) return schema;
  // The kind that is meant, so that what is said is about its fields.
  const kind = isFields(auth) && typeof auth["type"] === "string" ? auth["type"] : "";
  const meant: TObject | undefined = Object.hasOwn(AuthSchemas, kind) ? AuthSchemas[kind] : undefined;
  if (meant === undefined) {
    const wanted = Object.keys(AuthSchemas).map((name) => `"${name}"`).join(", ");
    throw invalid([{ path: "/auth/type", message: `is not known: wanted one of ${wanted}` }]);
  }
  return Type.Object({ ...schema.properties, auth: meant }, { additionalProperties: false });
}

function named(kind: "header" | "env", given: Secrets, secrets: Map<string, string | null>): readonly string[] {
  for (const [name, value] of Object.entries(given)) secrets.set(`${kind}:${name}`, value);
  return Object.keys(given).sort();
}

function readAuth(auth: AuthInput, secrets: Map<string, string | null>): ClientAuth {
  secrets.set("auth", auth["token"] ?? auth["password"] ?? auth["value"] ?? null);
  switch (auth.type) {
    case "bearer":
      return { type: "bearer" };
    case "basic":
      return { type: "basic", username: auth["username"] ?? "" };
    case "header":
      return { type: "header", name: auth["name"] ?? "" };
    case "apiKey":
      return { type: "apiKey", name: auth["name"] ?? "X-API-Key", in: auth["in"] === "query" ? "query" : "header" };
  }
}

/** The URL without its query, which is a secret: keys are put there often enough. */
function readUrl(field: string, text: string, secrets: Map<string, string | null>, query: string | null): string {
  const at = `/${field}`;
  if (!URL.canParse(text)) throw invalid([{ path: at, message: "is not a URL" }]);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw invalid([{ path: at, message: 'holds credentials: wanted them in "auth"' }]);
  }
  if (url.search !== "" && query === null) throw invalid([{ path: at, message: "has a query: wanted none" }]);
  if (url.search !== "" && query !== null) secrets.set(query, url.search.slice(1));
  return `${url.origin}${url.pathname}`;
}

function readDocument(text: string): string {
  parseDocument(text);
  return text.replaceAll("\0", "\ufffd");
}

function checkModels({ models }: Extract<ClientConfig, { type: "llm-provider" }>): void {
  const names = new Set<string>();
  for (const [index, { id, alias }] of models.entries()) {
    for (const name of alias === undefined || alias === id ? [id] : [id, alias]) {
      if (names.has(name)) {
        throw invalid([{ path: `/models/${index}`, message: `gives the name ${JSON.stringify(name)} a second time` }]);
      }
      names.add(name);
    }
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is thrown for a client that is not what it must be. */
export function invalid(errors: readonly ValidationIssue[]): CallError {
  const safe = errors.map(({ path, message }) => ({
    path,
    message: UNQUOTED.test(path) ? message.replace(/^is (?!missing)[^]*: (?=wanted)/, "is not valid: ") : message,
  }));
  const lines = safe.map(({ path, message }) => `${path === "" ? "Body" : `Field "${path.slice(1)}"`} ${message}`);
  return new CallError("VALIDATION_ERROR", lines.join("; "), { errors: safe });
}
