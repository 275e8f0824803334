import { CallError } from "@alkdev/operations";
import type { KeyRing } from "../crypto/mod.ts";
import type { Egress } from "../egress/mod.ts";
import type { ClientRecord } from "./client.ts";
import type { LlmProviderConfig } from "./client_config.ts";
import { SecretMask } from "./secret_mask.ts";
import { openSecrets } from "./secret_opener.ts";

const POLICY = { totalMs: 15_000, maxBytes: 4 * 1024 * 1024, sameHost: true } as const;

/** Asks a provider for its models with each of its keys. @returns how many it has @throws {CallError} */
export async function checkProvider(params: {
  readonly client: ClientRecord;
  readonly config: LlmProviderConfig;
  readonly keyRing: Pick<KeyRing, "decrypt">;
  readonly egress: Egress;
}): Promise<number | null> {
  const { client, config, keyRing, egress } = params;
  const secrets = await openSecrets(keyRing, client.secrets);
  const mask = new SecretMask(secrets.values());
  let offers: number | null = null;
  for (const [name, key] of secrets) {
    if (!name.startsWith("key:")) continue;
    const headers = new Headers(
      (config.headers ?? []).map((one): [string, string] => [one, secrets.get(`header:${one}`) ?? ""]),
    );
    if (config.kind === "anthropic") {
      headers.set("x-api-key", key);
      headers.set("anthropic-version", "2023-06-01");
    } else headers.set("authorization", `Bearer ${key}`);
    try {
      const response = await egress.fetch(new Request(`${config.baseUrl}/models`, { headers }), POLICY);
      const body: unknown = await response.json().catch(() => null);
      if (!response.ok) {
        throw new CallError("EXECUTION_ERROR", `The provider answered ${response.status} to ${name}`, {
          statusCode: response.status,
        });
      }
      if (typeof body === "object" && body !== null && "data" in body && Array.isArray(body.data)) {
        offers = body.data.length;
      }
    } catch (error) {
      throw error instanceof CallError ? mask.error(error) : error;
    }
  }
  return offers;
}
