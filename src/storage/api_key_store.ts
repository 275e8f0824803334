import type { ApiKeyMetadata, ApiKeyRecord, Storage } from "@alkdev/keypal";
import { and, arrayOverlaps, asc, eq, type SQL, sql } from "drizzle-orm";
import { auditStore } from "./audit_store.ts";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { ensureAccount, ensureMember, ensureOrganization } from "./organization_store.ts";
import { apiKeyRow, apiKeys, organizationMembers } from "./schema/mod.ts";

/** keypal's storage in real columns. An owner that has no account yet gets a service account. */
export function createKeyStorage(db: Database): Storage {
  const { orm } = db;
  const find = async (where: SQL | undefined): Promise<readonly ApiKeyRecord[]> =>
    (await orm.select().from(apiKeys).where(where).orderBy(asc(apiKeys.createdAt), asc(apiKeys.id))).map(toRecord);
  const findByTags = async (tags: readonly string[], ownerId?: string) => {
    if (tags.length === 0) return [];
    const hasTag = arrayOverlaps(apiKeys.tags, tags.map((tag) => tag.toLowerCase()));
    return await find(and(hasTag, ownerId === undefined ? undefined : eq(apiKeys.ownerId, ownerId)));
  };
  return {
    async save({ id, keyHash, metadata }) {
      await ensureOwners(db, metadata);
      const values = { ...UNSET, ...toColumns(metadata), ownerId: metadata.ownerId, keyHash };
      await orm.insert(apiKeys).values({ id, createdAt: sql`clock_timestamp()`, ...values }).onConflictDoUpdate({
        target: apiKeys.id,
        set: { ...values, updatedAt: sql`now()` },
      });
    },
    findById: async (id) => (await find(eq(apiKeys.id, id)))[0] ?? null,
    findByHash: (keyHash) => findStanding(db, eq(apiKeys.keyHash, keyHash)),
    findByOwner: (ownerId) => find(eq(apiKeys.ownerId, ownerId)),
    findByOrg: (orgId) => find(eq(apiKeys.orgId, orgId)),
    findByTags,
    findByTag: (tag, ownerId) => findByTags([tag], ownerId),
    // Only what is given: a use is recorded beside a revocation, and must not write back that the key is not revoked.
    async updateMetadata(id, metadata) {
      await ensureOwners(db, metadata);
      await orm.update(apiKeys).set({ ...toColumns(metadata), updatedAt: sql`now()` }).where(eq(apiKeys.id, id));
    },
    delete: async (id) => void await orm.delete(apiKeys).where(eq(apiKeys.id, id)),
    deleteByOwner: async (ownerId) => void await orm.delete(apiKeys).where(eq(apiKeys.ownerId, ownerId)),
    ...auditStore(db),
  };
}

/** A key as it stands: not enabled while its owner is suspended in its organization. Null: there is none. */
export function findStandingKey(db: Database, id: string): Promise<ApiKeyRecord | null> {
  return findStanding(db, eq(apiKeys.id, id));
}

async function findStanding({ orm }: Database, where: SQL | undefined): Promise<ApiKeyRecord | null> {
  const isOwners = and(
    eq(organizationMembers.orgId, apiKeys.orgId),
    eq(organizationMembers.accountId, apiKeys.ownerId),
  );
  const [row] = await orm.select({ key: apiKeys, status: organizationMembers.status }).from(apiKeys)
    .leftJoin(organizationMembers, isOwners).where(where);
  if (row === undefined) return null;
  return toRecord(row.status === "suspended" ? { ...row.key, enabled: false } : row.key);
}

async function ensureOwners(db: Database, { ownerId, orgId }: Partial<ApiKeyMetadata>): Promise<void> {
  if (ownerId !== undefined) await ensureAccount(db, ownerId);
  if (orgId === undefined) return;
  await ensureOrganization(db, orgId);
  if (ownerId !== undefined) await ensureMember(db, { orgId, accountId: ownerId });
}

type KeyColumns = Partial<typeof apiKeys.$inferInsert>;

/** What a saved record does not say. */
const UNSET = {
  orgId: null,
  name: null,
  description: null,
  scopes: [],
  resources: {},
  tags: [],
  metadata: {},
  enabled: true,
  rotatedToId: null,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
} satisfies KeyColumns;

/** The columns of the fields that are given, and of no others. */
function toColumns(metadata: Partial<ApiKeyMetadata>): KeyColumns {
  const { ownerId, orgId, name, description, scopes, resources, tags, enabled, rotatedTo, limits } = metadata;
  const { createdAt, expiresAt, revokedAt, lastUsedAt } = metadata;
  return {
    ...(ownerId !== undefined && { ownerId }),
    ...(orgId !== undefined && { orgId }),
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(scopes !== undefined && { scopes: [...scopes] }),
    ...(resources !== undefined && { resources }),
    ...(tags !== undefined && { tags: [...tags] }),
    ...(limits !== undefined && { metadata: { limits } }),
    ...(enabled !== undefined && { enabled }),
    ...(rotatedTo !== undefined && { rotatedToId: rotatedTo }),
    ...(createdAt !== undefined && { createdAt: Date.parse(createdAt) }),
    ...(expiresAt !== undefined && { expiresAt: msOrNull(expiresAt) }),
    ...(revokedAt !== undefined && { revokedAt: msOrNull(revokedAt) }),
    ...(lastUsedAt !== undefined && { lastUsedAt: msOrNull(lastUsedAt) }),
  };
}

function toRecord(unchecked: typeof apiKeys.$inferSelect): ApiKeyRecord {
  const row = checkedRow("api_keys", apiKeyRow, unchecked);
  const limits = limitsOf(row.metadata);
  const metadata: ApiKeyMetadata = {
    ownerId: row.ownerId,
    ...(row.orgId !== null && { orgId: row.orgId }),
    ...(row.name !== null && { name: row.name }),
    ...(row.description !== null && { description: row.description }),
    scopes: row.scopes,
    resources: row.resources,
    tags: row.tags,
    enabled: row.enabled,
    createdAt: iso(row.createdAt),
    expiresAt: isoOrNull(row.expiresAt),
    revokedAt: isoOrNull(row.revokedAt),
    lastUsedAt: isoOrNull(row.lastUsedAt),
    rotatedTo: row.rotatedToId,
    ...(limits !== null && { limits }),
  };
  return { id: row.id, keyHash: row.keyHash, metadata };
}

/** The numbers under `limits`; null: none. */
function limitsOf({ limits }: Readonly<Record<string, unknown>>): Record<string, number> | null {
  if (typeof limits !== "object" || limits === null) return null;
  return Object.fromEntries(
    Object.entries(limits).filter((entry): entry is [string, number] => Number.isInteger(entry[1])),
  );
}

/** ISO 8601 of ms since the epoch. */
function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

function msOrNull(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
