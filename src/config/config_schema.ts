import { type TObject, Type } from "@alkdev/typebox";

const strict = { additionalProperties: false } as const;
const port = Type.Integer({ minimum: 0, maximum: 65_535 });
const texts = Type.Array(Type.String({ minLength: 1 }));

const log = Type.Object({
  level: Type.Optional(Type.Union([
    Type.Literal("trace"),
    Type.Literal("debug"),
    Type.Literal("info"),
    Type.Literal("warning"),
    Type.Literal("error"),
    Type.Literal("fatal"),
    Type.Literal("off"),
  ])),
  format: Type.Optional(Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")])),
}, strict);

const limits = Type.Object({
  bodyBytes: Type.Optional(Type.Integer({ minimum: 1024, maximum: 1 << 30 })),
  inputBytes: Type.Optional(Type.Integer({ minimum: 1024, maximum: 1 << 30 })),
  jsonDepth: Type.Optional(Type.Integer({ minimum: 4, maximum: 1000 })),
  bodySeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600 })),
  maxWaitSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600 })),
}, strict);

const egress = Type.Object({
  allowHosts: Type.Optional(texts),
  allowPrivate: Type.Optional(texts),
}, strict);

const clients = Type.Object({
  commands: Type.Optional(Type.Array(
    Type.Object({
      run: Type.String({ minLength: 1, maxLength: 4096 }),
      moreArgs: Type.Optional(Type.Boolean()),
      env: Type.Optional(texts),
    }, strict),
    { maxItems: 100 },
  )),
}, strict);

const retention = Type.Array(
  Type.Object({
    status: Type.Optional(
      Type.Array(Type.Union([Type.Literal("completed"), Type.Literal("failed"), Type.Literal("aborted")]), {
        minItems: 1,
      }),
    ),
    olderThan: Type.String({ pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$" }),
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    workflow: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    action: Type.Union([Type.Literal("delete"), Type.Literal("archive")]),
  }, strict),
  { maxItems: 100 },
);

const http = Type.Object({
  corsOrigins: Type.Optional(
    Type.Array(Type.String({ pattern: "^(\\*|https?://[^/\\s]+)$" }), { maxItems: 100 }),
  ),
  accessLog: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  serverTiming: Type.Optional(Type.Boolean()),
  maxRequests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  maxWaiting: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  readMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
  urlLength: Type.Optional(Type.Integer({ minimum: 256, maximum: 65_536 })),
  headerBytes: Type.Optional(Type.Integer({ minimum: 1024, maximum: 131_072 })),
}, strict);

const url = Type.String({ pattern: "^https?://", maxLength: 2048 });
const name = Type.String({ minLength: 1, maxLength: 256 });
const oauth = Type.Object({
  issuer: url,
  audience: Type.String({ minLength: 1, maxLength: 2048 }),
  jwksUrl: Type.Optional(url),
  scopesClaim: Type.Optional(name),
  orgClaim: Type.Optional(name),
  organizations: Type.Optional(Type.Record(Type.String(), name)),
}, strict);

const file = Type.Object({
  $schema: Type.Optional(Type.String()),
  host: Type.Optional(Type.String({ minLength: 1 })),
  port: Type.Optional(port),
  databaseUrl: Type.Optional(Type.String({ pattern: "^postgres(ql)?://" })),
  redisUrl: Type.Optional(Type.String({ pattern: "^rediss?://" })),
  encryptionKeys: Type.Optional(Type.String({ pattern: "^v\\d+:" })),
  workflows: Type.Optional(texts),
  httpHosts: Type.Optional(texts),
  egress: Type.Optional(egress),
  clients: Type.Optional(clients),
  oauth: Type.Optional(oauth),
  trustedProxies: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 100 })),
  log: Type.Optional(log),
  limits: Type.Optional(limits),
  http: Type.Optional(http),
  retention: Type.Optional(retention),
}, strict);

/** Levels of the log, least severe first; `off` logs nothing. */
export type LogLevelName = "trace" | "debug" | "info" | "warning" | "error" | "fatal" | "off";
/** `auto` is pretty on a terminal and JSON elsewhere. */
export type LogFormat = "auto" | "json" | "pretty";

/** The config file after its encrypted values were opened. */
export interface ConfigFile {
  /** For editors. */
  readonly $schema?: string;
  readonly host?: string;
  readonly port?: number;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** `v2:<base64>,v1:<base64>`, the first current. */
  readonly encryptionKeys?: string;
  /** Extra template directories. */
  readonly workflows?: readonly string[];
  /** Hosts that `core.http` may call. */
  readonly httpHosts?: readonly string[];
  /** What outgoing requests may reach: the only hosts, and those that may have private addresses. */
  readonly egress?: { readonly allowHosts?: readonly string[]; readonly allowPrivate?: readonly string[] };
  /** What may be started as an MCP server, exactly as written: `run` is the command and its arguments. */
  readonly clients?: {
    readonly commands?: readonly {
      readonly run: string;
      readonly moreArgs?: boolean;
      readonly env?: readonly string[];
    }[];
  };
  /** Whose access tokens are taken beside keys. */
  readonly oauth?: OAuthConfig;
  /** Addresses or CIDRs of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. */
  readonly trustedProxies?: readonly string[];
  readonly log?: { readonly level?: LogLevelName; readonly format?: LogFormat };
  readonly limits?: {
    readonly bodyBytes?: number;
    readonly inputBytes?: number;
    readonly jsonDepth?: number;
    readonly bodySeconds?: number;
    readonly maxWaitSeconds?: number;
  };
  /** How requests are met. */
  readonly http?: HttpRules;
  /** What becomes of runs that are over. */
  readonly retention?: readonly RetentionRule[];
}

/** How the HTTP edge meets requests. Absent: its own defaults. */
export interface HttpRules {
  /** Origins (`https://app.example`) whose pages may use the API; `*`: any. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Share of requests that get a line in the log, 0 to 1. Default 0. */
  readonly accessLog?: number;
  /** Whether answers say in `Server-Timing` how long they took. */
  readonly serverTiming?: boolean;
  /** Requests under way, and those of them that wait on purpose: more are refused with 503. Default 2,000 and 10,000. */
  readonly maxRequests?: number;
  readonly maxWaiting?: number;
  /** How long a GET may read before it is answered 503. Default 10,000. */
  readonly readMs?: number;
  /** Of an address, and of all headers: 16,384 and 32,768 by default. */
  readonly urlLength?: number;
  readonly headerBytes?: number;
}

/** An issuer of access tokens, and what its claims mean here. */
export interface OAuthConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl?: string;
  readonly scopesClaim?: string;
  readonly orgClaim?: string;
  readonly organizations?: Readonly<Record<string, string>>;
}

/** One rule of what becomes of runs that are over. */
export interface RetentionRule {
  /** Default: all that has ended. */
  readonly status?: readonly ("completed" | "failed" | "aborted")[];
  /** Since the end: `30d`. */
  readonly olderThan: string;
  readonly label?: string;
  readonly workflow?: string;
  readonly action: "delete" | "archive";
}

/** Validates {@linkcode ConfigFile}; does not compile when the two part. */
export const ConfigFileSchema: TObject = file satisfies { static: ConfigFile };

/** Fields whose value no message may quote. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set(["databaseUrl", "redisUrl", "encryptionKeys"]);

/** What a secret field must look like, as a message cannot quote what it looks like now. */
export const WANTED_OF_SECRET: ReadonlyMap<string, string> = new Map([
  ["databaseUrl", "a URL such as postgres://user@host/database"],
  ["redisUrl", "a URL such as redis://host:6379"],
  ["encryptionKeys", "a key ring such as v1:<base64>"],
]);
