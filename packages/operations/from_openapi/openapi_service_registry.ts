import type { IOperationDefinition } from "../operation_context.ts";
import type { OperationRegistry } from "../registry.ts";
import { FromOpenAPI } from "./from_openapi.ts";
import { FromOpenAPIUrl } from "./load_openapi.ts";
import type { OpenAPIConfig } from "./openapi_config.ts";

/**
 * Services by their documents, to be registered together. A namespace that is added again takes the place of the first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { OperationRegistry } from "@alkdev/operations";
 * import { OpenAPIServiceRegistry } from "@alkdev/operations/from-openapi";
 *
 * const paths = { "/pets": { get: { operationId: "list" } } };
 * const services = new OpenAPIServiceRegistry();
 * services.add({ openapi: "3.1.0", paths }, { namespace: "pets", baseUrl: "https://pets.example" });
 * const registry = new OperationRegistry();
 * services.registerAll(registry);
 * assert.equal(registry.getSpec("pets.list")?.type, "query");
 * ```
 */
export class OpenAPIServiceRegistry {
  readonly #services = new Map<string, readonly IOperationDefinition[]>();

  /** @throws {CallError} as {@linkcode FromOpenAPI} */
  add(spec: unknown, config: OpenAPIConfig): void {
    this.#services.set(config.namespace, FromOpenAPI(spec, config));
  }

  /** @throws {CallError} as {@linkcode FromOpenAPIUrl} */
  async addFromUrl(url: string | URL, config: OpenAPIConfig): Promise<void> {
    this.#services.set(config.namespace, await FromOpenAPIUrl(url, config));
  }

  /** The operations of all services, in order of adding. */
  list(): IOperationDefinition[] {
    return [...this.#services.values()].flat();
  }

  registerAll(registry: OperationRegistry): void {
    registry.registerAll(this.list());
  }
}
