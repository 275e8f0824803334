import { type TObject, Type } from "@alkdev/typebox";

const strict = { additionalProperties: false } as const;
const limit = Type.Integer({ minimum: 0, maximum: 1e12 });
const name = Type.String({ minLength: 1, maxLength: 200 });

const limitsSchema = Type.Object({
  requestsPerMinute: Type.Optional(limit),
  tokensPerMinute: Type.Optional(limit),
}, strict);

const modelSchema = Type.Object({
  route: Type.Optional(Type.Union([Type.Literal("weight"), Type.Literal("latency"), Type.Literal("cost")], {
    description: "Which provider is asked first where several have the model. Default: weight",
  })),
  retries: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 7,
    description: "Attempts after the first; at least each provider is tried once. Default: 2",
  })),
  fallbacks: Type.Optional(Type.Array(name, { maxItems: 8, description: "Models to try when this one fails" })),
  maxOutputTokens: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: "Set for calls that set none, where a budget or a limit of tokens holds. Default: 4096",
  })),
  cacheSeconds: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 2_592_000,
    description: "How long an answer is good for the same request; 0, the default: not at all",
  })),
  store: Type.Optional(Type.Union([Type.Literal("none"), Type.Literal("redacted"), Type.Literal("full")], {
    description: "What the run keeps of request and answer. Default: none, only what was used",
  })),
  before: Type.Optional(Type.String({ maxLength: 256, description: "Operation that may refuse or change a request" })),
  after: Type.Optional(Type.String({ maxLength: 256, description: "Operation that may refuse an answer" })),
  limits: Type.Optional(limitsSchema),
}, strict);

const policySchema = Type.Object({
  default: Type.Optional(modelSchema),
  models: Type.Optional(Type.Record(name, modelSchema, { maxProperties: 500 })),
  /** By the id of an API key of the hub. */
  keys: Type.Optional(Type.Record(name, limitsSchema, { maxProperties: 10_000 })),
  organization: Type.Optional(limitsSchema),
}, strict);

/** For each minute of the clock. */
export interface RateLimits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

/** See the descriptions of {@linkcode InferencePolicySchema}. */
export interface ModelPolicy {
  readonly route?: "weight" | "latency" | "cost";
  readonly retries?: number;
  readonly fallbacks?: readonly string[];
  readonly maxOutputTokens?: number;
  readonly cacheSeconds?: number;
  readonly store?: "none" | "redacted" | "full";
  readonly before?: string;
  readonly after?: string;
  readonly limits?: RateLimits;
}

export interface InferencePolicy {
  readonly default?: ModelPolicy;
  readonly models?: Readonly<Record<string, ModelPolicy>>;
  readonly keys?: Readonly<Record<string, RateLimits>>;
  readonly organization?: RateLimits;
}

/** What an organization has decided about its calls of models; does not compile when the two part. */
export const InferencePolicySchema: TObject = policySchema satisfies { static: InferencePolicy };

export interface StoredPolicy {
  readonly policy: InferencePolicy;
  /** Rises with each change; 0: none was ever set. */
  readonly revision: number;
}

/** Policies by organization. */
export interface PolicyStore {
  get(orgId: string): Promise<StoredPolicy>;
  put(orgId: string, policy: InferencePolicy): Promise<StoredPolicy>;
}

/** What holds for a model: its own over the organization's default. */
export function modelPolicy(policy: InferencePolicy, model: string): ModelPolicy {
  const own = policy.models !== undefined && Object.hasOwn(policy.models, model) ? policy.models[model] : undefined;
  return own === undefined ? policy.default ?? NOTHING : { ...policy.default, ...own };
}

const NOTHING: ModelPolicy = {};

/** Policies kept in memory. */
export class MemoryPolicies implements PolicyStore {
  readonly #byOrg = new Map<string, StoredPolicy>();

  get(orgId: string): Promise<StoredPolicy> {
    return Promise.resolve(this.#byOrg.get(orgId) ?? { policy: {}, revision: 0 });
  }

  async put(orgId: string, policy: InferencePolicy): Promise<StoredPolicy> {
    const { revision } = await this.get(orgId);
    const stored = { policy: structuredClone(policy), revision: revision + 1 };
    this.#byOrg.set(orgId, stored);
    return stored;
  }
}
