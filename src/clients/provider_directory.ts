import type { KeyRing } from "../crypto/mod.ts";
import type { ClientRecord } from "./client.ts";
import type { LlmProviderConfig } from "./client_config.ts";
import type { ClientStore } from "./client_store.ts";
import type { Provider, ProviderDirectory } from "./ports.ts";
import { openSecrets } from "./secret_opener.ts";

type ProviderRecord = ClientRecord & { readonly config: LlmProviderConfig };

/** How long the store's version is taken for the last one. */
const FRESH_MS = 500;
const MAX_ORGANIZATIONS = 1_000;

/** Reads providers from the store, and keeps them open until something changes. */
export function createProviderDirectory(
  options: { readonly store: ClientStore; readonly keyRing: Pick<KeyRing, "decrypt">; readonly now: () => number },
): ProviderDirectory & {
  /** Something may have changed: the next question looks. */
  forget(): void;
} {
  const { store, keyRing, now } = options;
  const known = new Map<string, Promise<readonly Provider[]>>();
  let version = -1;
  let lookedAt = -Infinity;
  const load = async (orgId: string): Promise<readonly Provider[]> => {
    const records = (await store.list({ orgId })).filter(isProvider);
    return await Promise.all(records.map((record) => open(record, keyRing)));
  };
  return {
    async providers(orgId) {
      if (now() - lookedAt >= FRESH_MS) {
        const at = now();
        const latest = await store.version();
        lookedAt = at;
        if (latest !== version) known.clear();
        version = latest;
      }
      const found = known.get(orgId);
      if (found !== undefined) return await found;
      const loading = load(orgId);
      known.set(orgId, loading);
      // Cleared meanwhile, it may be of an older version: then it is not the one that is kept.
      loading.catch(() => known.get(orgId) === loading && known.delete(orgId));
      const [oldest] = known.keys();
      if (known.size > MAX_ORGANIZATIONS && oldest !== undefined) known.delete(oldest);
      return await loading;
    },
    forget() {
      lookedAt = -Infinity;
    },
  };
}

function isProvider(record: ClientRecord): record is ProviderRecord {
  return record.config.type === "llm-provider";
}

async function open({ name, config, secrets }: ProviderRecord, keyRing: Pick<KeyRing, "decrypt">): Promise<Provider> {
  const opened = await openSecrets(keyRing, secrets);
  const keys = [...opened].filter(([secret]) => secret.startsWith("key:"))
    .sort(([a], [b]) => Number(a.slice(4)) - Number(b.slice(4))).map(([, key]) => key);
  const { kind, baseUrl, models, headers = [], timeoutMs = null, maxConcurrency = null } = config;
  return {
    name,
    kind,
    baseUrl,
    keys,
    models,
    headers: Object.fromEntries(headers.map((header) => [header, opened.get(`header:${header}`) ?? ""])),
    timeoutMs,
    maxConcurrency,
  };
}
