import type { ClientCatalog, ClientRecord } from "./client.ts";
import type { ClientStore } from "./client_store.ts";

/** Clients in this process. */
export function createMemoryClientStore(): ClientStore {
  const clients = new Map<string, ClientRecord>();
  const catalogs = new Map<string, ClientCatalog>();
  let version = 0;
  const byName = ({ orgId, name }: { readonly orgId: string; readonly name: string }) =>
    [...clients.values()].find((client) => client.orgId === orgId && client.name === name);
  return {
    put({ client, before, keepCatalog }) {
      const found = byName(client);
      if ((found?.revision ?? null) !== before || (found !== undefined && found.id !== client.id)) {
        return Promise.resolve(false);
      }
      clients.set(client.id, client);
      if (!keepCatalog) catalogs.delete(client.id);
      version++;
      return Promise.resolve(true);
    },
    get: (key) => Promise.resolve(byName(key) ?? null),
    list: ({ orgId }) =>
      Promise.resolve(
        [...clients.values()].filter((client) => client.orgId === orgId)
          .sort((a, b) => a.name < b.name ? -1 : 1),
      ),
    find: ({ id }) => Promise.resolve(clients.get(id) ?? null),
    remove(key) {
      const found = byName(key);
      if (found === undefined) return Promise.resolve(false);
      clients.delete(found.id);
      catalogs.delete(found.id);
      version++;
      return Promise.resolve(true);
    },
    version: () => Promise.resolve(version),
    heads: () =>
      Promise.resolve(
        [...clients.values()].map(({ id, revision }) => ({
          id,
          revision,
          catalogHash: catalogs.get(id)?.hash ?? null,
        })),
      ),
    catalog: ({ id }) => Promise.resolve(catalogs.get(id) ?? null),
    putCatalog({ id, revision, catalog }) {
      if (clients.get(id)?.revision === revision && catalogs.get(id)?.hash !== catalog.hash) {
        catalogs.set(id, catalog);
        version++;
      }
      return Promise.resolve();
    },
    sealedOtherwise({ keyVersion, limit }) {
      const all = [...clients.values()].flatMap(({ id, secrets }) =>
        secrets.map((secret) => ({ clientId: id, secret }))
      );
      return Promise.resolve(all.filter(({ secret }) => secret.sealed.keyVersion !== keyVersion).slice(0, limit));
    },
    reseal({ clientId, before, sealed }) {
      const client = clients.get(clientId);
      if (client !== undefined) {
        const secrets = client.secrets.map((secret) =>
          secret.name === before.name && secret.sealed.data === before.sealed.data ? { ...secret, sealed } : secret
        );
        clients.set(clientId, { ...client, secrets });
      }
      return Promise.resolve();
    },
  };
}
