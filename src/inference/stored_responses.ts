import type { Egress } from "../egress/mod.ts";
import { inferenceError } from "./inference_error.ts";
import type { ProviderDirectory } from "./ports.ts";
import type { ProviderHealth } from "./provider_health.ts";
import type { ResponseOwners } from "./response_owners.ts";

const TIMEOUT_MS = 60_000;

/** Requests about responses that a provider keeps go to that provider, with a key of the hub. They use no model. */
export class StoredResponses {
  readonly #options: {
    readonly owners: ResponseOwners;
    readonly providers: ProviderDirectory;
    readonly health: ProviderHealth;
    readonly egress: Egress;
  };

  constructor(
    options: {
      readonly owners: ResponseOwners;
      readonly providers: ProviderDirectory;
      readonly health: ProviderHealth;
      readonly egress: Egress;
    },
  ) {
    this.#options = options;
  }

  async pass(
    { orgId, id, method, rest, signal }: {
      readonly orgId: string;
      readonly id: string;
      readonly method: "GET" | "POST" | "DELETE";
      readonly rest: string;
      readonly signal: AbortSignal;
    },
  ): Promise<Response> {
    const { owners, providers, health, egress } = this.#options;
    const owner = await owners.find({ orgId, id });
    const provider = (await providers.providers(orgId)).find(({ name }) => name === owner?.provider);
    const key = provider === undefined ? 0 : health.key(orgId, provider);
    if (provider === undefined || typeof key === "number") throw notFound(id);
    const headers = { authorization: `Bearer ${key}`, "user-agent": "alkdev-hub", ...provider.headers };
    const request = new Request(`${provider.baseUrl}/responses/${id}${rest}`, { method, headers, signal });
    const response = await egress.fetch(request, { keepAlive: true, timeoutMs: TIMEOUT_MS, maxRedirects: 0 });
    if (method === "DELETE" && response.ok) await owners.remove({ orgId, id });
    const type = response.headers.get("content-type") ?? "application/json";
    return new Response(response.body, {
      status: response.status === 401 || response.status === 403 ? 502 : response.status,
      headers: { "content-type": type, "cache-control": "no-store", "x-hub-provider": provider.name },
    });
  }
}

function notFound(id: string): Error {
  return inferenceError("RESPONSE_NOT_FOUND", {
    status: 404,
    error: {
      message: `Response with id '${id}' not found.`,
      type: "invalid_request_error",
      param: "id",
      code: "response_not_found",
    },
  });
}
