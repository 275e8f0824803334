import { type TObject, type TSchema, type TUnion, Type } from "@alkdev/typebox";

/** What every client that gives operations can have beside its own settings. */
export interface CallSettings {
  /** Ms that a call may take. Default 60,000. */
  readonly timeoutMs?: number;
  /** Calls at once, of each hub. Default 16. */
  readonly maxConcurrency?: number;
  /** What a caller must hold to see and call its operations. Default: nothing beside the right to call. */
  readonly requiredScopes?: readonly string[];
}

/** How an HTTP server knows us; the secret itself is stored apart, as `auth`. */
export type ClientAuth =
  | { readonly type: "bearer" }
  | { readonly type: "basic"; readonly username: string }
  | { readonly type: "apiKey"; readonly name: string; readonly in: "header" | "query" }
  | { readonly type: "header"; readonly name: string };

/** An MCP server over streamable HTTP. Values of headers are stored apart, as `header:<name>`. */
export interface McpHttpConfig extends CallSettings {
  readonly type: "mcp";
  readonly url: string;
  readonly headers?: readonly string[];
  readonly auth?: ClientAuth;
  /** `data`: what a tool says is wrong is its answer, with `meta.isError`; `fail`: it fails the call. Default `data`. */
  readonly toolErrors?: "data" | "fail";
}

/** An MCP server that each hub starts as a process. Values of variables are stored apart, as `env:<name>`. */
export interface McpStdioConfig extends CallSettings {
  readonly type: "mcp";
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly toolErrors?: "data" | "fail";
}

/** An HTTP service that an OpenAPI document describes. */
export interface OpenApiConfig extends CallSettings {
  readonly type: "openapi";
  /** Where the document is; null: it was given, and is kept. */
  readonly specUrl: string | null;
  /** Absent: as the document says, when that is the host the document is from. */
  readonly baseUrl?: string;
  readonly headers?: readonly string[];
  readonly auth?: ClientAuth;
  /** Names of operations, with `*` for any text; absent: all. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** How often the document is fetched again; absent: when asked to. */
  readonly refreshSeconds?: number;
}

/** One model of a provider. Prices are millionths of a currency unit for a million tokens. */
export interface ProviderModel {
  readonly id: string;
  /** What callers may call it instead. */
  readonly alias?: string;
  readonly weight?: number;
  readonly prices?: {
    readonly inputMicrosPerMTok: number;
    readonly outputMicrosPerMTok: number;
    readonly cachedInputMicrosPerMTok?: number;
  };
  readonly contextTokens?: number;
}

/** A provider of language models. Its keys are stored apart, as `key:0`, `key:1` … */
export interface LlmProviderConfig {
  readonly type: "llm-provider";
  readonly kind: "openai" | "anthropic" | "openai-compatible";
  readonly baseUrl: string;
  readonly models: readonly ProviderModel[];
  readonly headers?: readonly string[];
  readonly timeoutMs?: number;
  readonly maxConcurrency?: number;
}

/** What is stored of a client beside its secrets, and shown. */
export type ClientConfig = McpHttpConfig | McpStdioConfig | OpenApiConfig | LlmProviderConfig;
export type ClientType = ClientConfig["type"];

const strict = { additionalProperties: false } as const;
const url = Type.String({ minLength: 1, maxLength: 2048, pattern: "^https?://[^\\s\\x00-\\x20]+$" });
const token = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
const headerName = Type.String({ minLength: 1, maxLength: 128, pattern: token });
const envName = Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z_][A-Za-z0-9_]*$" });
/** A secret, or null for the one that is there. */
const Secret = Type.Union([
  Type.String({ minLength: 1, maxLength: 16_384, pattern: "^[^\\x00\\r\\n]*$" }),
  Type.Null(),
]);
const OptionalSecret = Type.Optional(Secret);
const headers = Type.Optional(Type.Record(headerName, Secret, { maxProperties: 50, ...strict }));

/** How an HTTP server knows us, by its kind. */
export const AuthSchemas: Readonly<Record<string, TObject>> = {
  bearer: Type.Object({ type: Type.Literal("bearer"), token: OptionalSecret }, strict),
  basic: Type.Object({
    type: Type.Literal("basic"),
    username: Type.String({ maxLength: 256, pattern: "^[^:\\x00-\\x1f]*$" }),
    password: OptionalSecret,
  }, strict),
  apiKey: Type.Object({
    type: Type.Literal("apiKey"),
    token: OptionalSecret,
    name: Type.Optional(headerName),
    in: Type.Optional(Type.Union([Type.Literal("header"), Type.Literal("query")])),
  }, strict),
  header: Type.Object({ type: Type.Literal("header"), name: headerName, value: OptionalSecret }, strict),
};
const auth = Type.Optional(Type.Union(Object.values(AuthSchemas)));

const settings = {
  timeoutMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 3_600_000 })),
  maxConcurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
};
const callSettings = {
  ...settings,
  requiredScopes: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128, pattern: "^[!-~]+$" }), { maxItems: 20 }),
  ),
};
const toolErrors = Type.Optional(Type.Union([Type.Literal("data"), Type.Literal("fail")]));
const patterns = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 200 }));
const price = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 });
const modelName = Type.String({ minLength: 1, maxLength: 200, pattern: "^[!-~]+$" });

/** What `PUT /api/clients/:name` takes for each kind of client. */
export const ClientInputSchemas: Readonly<Record<"mcpHttp" | "mcpStdio" | "openapi" | "llmProvider", TObject>> = {
  mcpHttp: Type.Object({
    type: Type.Literal("mcp"),
    url,
    transport: Type.Optional(Type.Literal("http")),
    headers,
    auth,
    toolErrors,
    ...callSettings,
  }, strict),
  mcpStdio: Type.Object({
    type: Type.Literal("mcp"),
    command: Type.String({ minLength: 1, maxLength: 1024 }),
    args: Type.Optional(Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 100 })),
    env: Type.Optional(Type.Record(envName, Secret, { maxProperties: 50, ...strict })),
    transport: Type.Optional(Type.Literal("stdio")),
    toolErrors,
    ...callSettings,
  }, strict),
  openapi: Type.Object({
    type: Type.Literal("openapi"),
    spec: Type.Union([
      Type.String({ minLength: 1, description: "Its URL, or the document as JSON or YAML text" }),
      Type.Record(Type.String(), Type.Unknown(), { description: "The document" }),
    ]),
    baseUrl: Type.Optional(url),
    headers,
    auth,
    include: patterns,
    exclude: patterns,
    refreshSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 604_800 })),
    ...callSettings,
  }, strict),
  llmProvider: Type.Object({
    type: Type.Literal("llm-provider"),
    kind: Type.Union([Type.Literal("openai"), Type.Literal("anthropic"), Type.Literal("openai-compatible")]),
    baseUrl: url,
    keys: Type.Optional(Type.Array(Secret, { minItems: 1, maxItems: 50 })),
    models: Type.Array(
      Type.Object({
        id: modelName,
        alias: Type.Optional(modelName),
        weight: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 })),
        prices: Type.Optional(Type.Object({
          inputMicrosPerMTok: price,
          outputMicrosPerMTok: price,
          cachedInputMicrosPerMTok: Type.Optional(price),
        }, strict)),
        contextTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
      }, strict),
      { minItems: 1, maxItems: 500 },
    ),
    headers,
    ...settings,
  }, strict),
};

/** All of them, to describe the body. */
export const ClientInputSchema: TUnion<TSchema[]> = Type.Union(Object.values(ClientInputSchemas));

/** What the database must hold of {@linkcode ClientConfig}: these have been checked in full when they came in. */
export const StoredConfigSchema: TObject = Type.Object({ type: Type.String() });
