import type { Provider, ProviderDirectory } from "./ports.ts";

/** Providers by organization, kept in memory. */
export class MemoryProviders implements ProviderDirectory {
  readonly #byOrg = new Map<string, readonly Provider[]>();

  set(orgId: string, providers: readonly Provider[]): void {
    this.#byOrg.set(orgId, providers);
  }

  providers(orgId: string): Promise<readonly Provider[]> {
    return Promise.resolve(this.#byOrg.get(orgId) ?? []);
  }
}
