/** What other rooms read of clients. */
import type { LlmProviderConfig, ProviderModel } from "./client_config.ts";

/** A provider of language models, ready to be used. Holds its keys: never to be logged, stored or shown. */
export interface Provider {
  readonly name: string;
  readonly kind: LlmProviderConfig["kind"];
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** At least one. */
  readonly keys: readonly string[];
  readonly models: readonly ProviderModel[];
  /** Sent with every request; may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly maxConcurrency: number | null;
}

/** The providers that organizations have added as clients of type `llm-provider`. */
export interface ProviderDirectory {
  /** Of an organization, by name, as they are now: a change is seen on every hub within a second. */
  providers(orgId: string): Promise<readonly Provider[]>;
}

/** The part of a logger that clients use. */
export interface ClientsLog {
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}
