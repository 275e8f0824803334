import { and, asc, eq, inArray, ne, sql } from "drizzle-orm";
import type { ClientRecord, ClientSecret, ClientStore } from "../clients/mod.ts";
import { checkedRow } from "./checked_row.ts";
import type { Database, Orm } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { clientCatalogs, clientRow, clients, clientSecretRow, clientSecrets, clientsVersion } from "./schema/mod.ts";
import { isUniqueViolation } from "./unique_violation.ts";

type Row = typeof clients.$inferSelect;
type SecretRow = typeof clientSecrets.$inferSelect;

/** Clients in the database, for any number of hubs. */
export function createClientStore(db: Database): ClientStore {
  const { orm } = db;
  const withSecrets = async (rows: readonly Row[]): Promise<readonly ClientRecord[]> => {
    if (rows.length === 0) return [];
    const secrets = await orm.select().from(clientSecrets).where(
      inArray(clientSecrets.clientId, rows.map(({ id }) => id)),
    );
    return rows.map((row) => toClient(row, secrets.filter(({ clientId }) => clientId === row.id)));
  };
  return {
    async put(params) {
      await ensureOrganization(db, params.client.orgId);
      try {
        return await orm.transaction((tx) => put(tx, params));
      } catch (error) {
        if (isUniqueViolation(error)) return false;
        throw error;
      }
    },
    async get({ orgId, name }) {
      const rows = await orm.select().from(clients).where(
        and(eq(clients.orgId, column(orgId)), eq(clients.name, column(name))),
      );
      return (await withSecrets(rows))[0] ?? null;
    },
    async list({ orgId }) {
      const rows = await orm.select().from(clients).where(eq(clients.orgId, column(orgId)));
      return (await withSecrets(rows)).toSorted((a, b) => a.name < b.name ? -1 : 1);
    },
    async find({ id }) {
      return (await withSecrets(await orm.select().from(clients).where(eq(clients.id, id))))[0] ?? null;
    },
    remove({ orgId, name }) {
      return orm.transaction(async (tx) => {
        const gone = await tx.delete(clients).where(
          and(eq(clients.orgId, column(orgId)), eq(clients.name, column(name))),
        ).returning({ id: clients.id });
        if (gone.length > 0) await changed(tx);
        return gone.length > 0;
      });
    },
    async version() {
      const [row] = await orm.select().from(clientsVersion);
      return row?.version ?? 0;
    },
    heads: () =>
      orm.select({ id: clients.id, revision: clients.revision, catalogHash: clientCatalogs.hash }).from(clients)
        .leftJoin(clientCatalogs, eq(clientCatalogs.clientId, clients.id)).orderBy(asc(clients.id)),
    async catalog({ id }) {
      const [row] = await orm.select().from(clientCatalogs).where(eq(clientCatalogs.clientId, id));
      return row === undefined ? null : { content: row.content, hash: row.hash, updatedAt: row.updatedAt };
    },
    putCatalog({ id, revision, catalog }) {
      return orm.transaction(async (tx) => {
        // Locked: a change of the client takes its catalog away, and must not come between.
        const found = await tx.select({ id: clients.id }).from(clients)
          .where(and(eq(clients.id, id), eq(clients.revision, revision))).for("update");
        if (found.length === 0) return;
        const written = await tx.insert(clientCatalogs).values({ clientId: id, ...catalog }).onConflictDoUpdate({
          target: clientCatalogs.clientId,
          set: catalog,
          setWhere: ne(clientCatalogs.hash, catalog.hash),
        }).returning({ clientId: clientCatalogs.clientId });
        if (written.length > 0) await changed(tx);
      });
    },
    async sealedOtherwise({ keyVersion, limit }) {
      const rows = await orm.select().from(clientSecrets).where(ne(clientSecrets.keyVersion, keyVersion)).limit(limit);
      return rows.map((row) => ({ clientId: row.clientId, secret: toSecret(row) }));
    },
    async reseal({ clientId, before, sealed }) {
      await orm.update(clientSecrets).set({ value: sealed, keyVersion: sealed.keyVersion }).where(and(
        eq(clientSecrets.clientId, clientId),
        eq(clientSecrets.name, before.name),
        sql`${clientSecrets.value} ->> 'data' = ${before.sealed.data}`,
      ));
    },
  };
}

async function put(tx: Orm, { client, before, keepCatalog }: Parameters<ClientStore["put"]>[0]): Promise<boolean> {
  const { id, orgId, name, config, revision, createdAt, updatedAt } = client;
  const values = { orgId, name, type: config.type, config, revision, updatedAt };
  const written = before === null
    ? await tx.insert(clients).values({ id, createdAt, ...values }).onConflictDoNothing().returning({ id: clients.id })
    : await tx.update(clients).set(values).where(
      and(eq(clients.id, id), eq(clients.orgId, orgId), eq(clients.revision, before)),
    ).returning({ id: clients.id });
  if (written.length === 0) return false;
  await tx.delete(clientSecrets).where(eq(clientSecrets.clientId, id));
  if (client.secrets.length > 0) await tx.insert(clientSecrets).values(client.secrets.map((one) => toRow(id, one)));
  if (!keepCatalog) await tx.delete(clientCatalogs).where(eq(clientCatalogs.clientId, id));
  await changed(tx);
  return true;
}

async function changed(tx: Orm): Promise<void> {
  await tx.update(clientsVersion).set({ version: sql`${clientsVersion.version} + 1` });
}

function toRow(clientId: string, { name, sealed, last4, updatedAt }: ClientSecret) {
  const id = crypto.randomUUID();
  return { id, clientId, name, value: sealed, keyVersion: sealed.keyVersion, last4, updatedAt };
}

function toClient(row: Row, secrets: readonly SecretRow[]): ClientRecord {
  const { metadata: _metadata, type: _type, ...client } = checkedRow("clients", clientRow, row);
  return { ...client, secrets: secrets.map(toSecret).toSorted((a, b) => a.name < b.name ? -1 : 1) };
}

function toSecret(row: SecretRow): ClientSecret {
  const { name, value, last4, updatedAt } = checkedRow("client_secrets", clientSecretRow, row);
  return { name, sealed: value, last4, updatedAt };
}
