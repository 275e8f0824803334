/** What inference needs of the world. */

/** One model of a provider. Prices are millionths of a currency unit for a million tokens. */
export interface ProviderModel {
  readonly id: string;
  /** What callers may call it instead; several models may share one. */
  readonly alias?: string;
  readonly weight?: number;
  readonly prices?: Prices;
  readonly contextTokens?: number;
}

export interface Prices {
  readonly inputMicrosPerMTok: number;
  readonly outputMicrosPerMTok: number;
  readonly cachedInputMicrosPerMTok?: number;
}

export type ProviderKind = "openai" | "anthropic" | "openai-compatible";

/** A provider of language models, ready to be used. Holds its keys: never to be logged, stored or shown. */
export interface Provider {
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a slash at the end; of OpenAI's kind with its `/v1`. */
  readonly baseUrl: string;
  /** At least one. */
  readonly keys: readonly string[];
  readonly models: readonly ProviderModel[];
  readonly headers: Readonly<Record<string, string>>;
  /** Until the answer begins; null: 60 s. */
  readonly timeoutMs: number | null;
  readonly maxConcurrency: number | null;
}

/** The providers of organizations, as they are now: a change is seen on every hub within a second. */
export interface ProviderDirectory {
  providers(orgId: string): Promise<readonly Provider[]>;
}

/** The part of a logger that inference uses. It is told of no prompt, answer or key. */
export interface InferenceLog {
  warn(message: string, properties?: Record<string, unknown>): void;
}
