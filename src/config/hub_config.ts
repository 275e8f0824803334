import type { HttpRules, LogFormat, LogLevelName, OAuthConfig, RetentionRule } from "./config_schema.ts";

/** Everything settable, resolved: environment over file over defaults. Paths are as given, relative to the working directory. */
export interface HubConfig {
  readonly dataDir: string;
  /** The config file that was read; null: there is none. */
  readonly configPath: string | null;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Null: the embedded database. */
  readonly databaseUrl: string | null;
  /** Null: one process. */
  readonly redisUrl: string | null;
  /** The key ring's text where the configuration has one; null: the data directory's own. Secret. */
  readonly encryptionKeys: string | null;
  /** Where the master key is. */
  readonly masterKeyPath: string;
  readonly log: { readonly level: LogLevelName; readonly format: LogFormat };
  /** Extra template directories. */
  readonly workflows: readonly string[];
  /** Hosts that `core.http` may call. */
  readonly httpHosts: readonly string[];
  readonly egress: HubEgress;
  /** Whose access tokens are taken beside keys; null: nobody's. */
  readonly oauth: OAuthConfig | null;
  /** Addresses or CIDRs of proxies whose `X-Forwarded-…` headers are believed. Default: none. */
  readonly trustedProxies: readonly string[];
  readonly clients: HubClientsConfig;
  readonly limits: HubLimits;
  /** What is said of HTTP; the edge has defaults for the rest. */
  readonly http: HttpRules;
  /** What becomes of runs that are over. */
  readonly retention: readonly (Omit<RetentionRule, "olderThan"> & { readonly olderThanMs: number })[];
  /** To be logged once there is a log. */
  readonly warnings: readonly string[];
}

/** What outgoing HTTP requests may reach: webhooks, providers, remote services. Hosts are `host` or `host:port`. */
export interface HubEgress {
  /** The only hosts; null: any public one. */
  readonly allowHosts: readonly string[] | null;
  /** Hosts that may have private or loopback addresses. */
  readonly allowPrivate: readonly string[];
}

/** What clients may do on this machine. */
export interface HubClientsConfig {
  /** Commands that may be started as MCP servers. */
  readonly commands: readonly {
    /** The command and its first arguments, with blanks between them. */
    readonly run: string;
    /** Whether a client may add arguments. Default false. */
    readonly moreArgs?: boolean;
    /** Variables that a client may set. Default: none. */
    readonly env?: readonly string[];
  }[];
}

/** What a request may ask for. */
export interface HubLimits {
  /** Of a whole HTTP body; default 2 MiB. */
  readonly bodyBytes: number;
  /** Of a run's input; default 1 MiB. */
  readonly inputBytes: number;
  /** Nesting of JSON; default 64. */
  readonly jsonDepth: number;
  /** Longest `Prefer: wait`; default 60. */
  readonly bodySeconds: number;
  readonly maxWaitSeconds: number;
}

/** The limits where nothing else is said. */
export const DEFAULT_LIMITS: HubLimits = {
  bodyBytes: 2 * 1024 * 1024,
  inputBytes: 1024 * 1024,
  jsonDepth: 64,
  bodySeconds: 30,
  maxWaitSeconds: 60,
};
