import type { ApiKeyMetadata, ApiKeyRecord, Storage } from "@alkdev/keypal";
import { auditStore } from "./audit_store.ts";
import type { Database } from "./database.ts";
import { ensureAccount, ensureOrganization } from "./organization_store.ts";

/** keypal's storage in real columns. An owner that has no account yet gets a service account. */
export function createKeyStorage(db: Database): Storage {
  const find = async (where: string, values: readonly unknown[]): Promise<readonly ApiKeyRecord[]> =>
    (await db.query<KeyRow>(`select ${COLUMNS} from api_keys where ${where} order by created_at, id`, values))
      .map(toRecord);
  const save = async (record: ApiKeyRecord) => {
    await ensureAccount(db, record.metadata.ownerId);
    if (record.metadata.orgId !== undefined) await ensureOrganization(db, record.metadata.orgId);
    await db.query(SAVE, toValues(record));
  };
  const findById = async (id: string) => (await find("id = $1", [id]))[0] ?? null;
  const byTags = (tags: readonly string[], ownerId?: string) =>
    find("tags && $1::text[] and ($2::text is null or owner_id = $2)", [
      tags.map((tag) => tag.toLowerCase()),
      ownerId ?? null,
    ]);
  return {
    save,
    findById,
    findByHash: async (keyHash) => (await find("key_hash = $1", [keyHash]))[0] ?? null,
    findByOwner: (ownerId) => find("owner_id = $1", [ownerId]),
    findByOrg: (orgId) => find("org_id = $1", [orgId]),
    findByTags: byTags,
    findByTag: (tag, ownerId) => byTags([tag], ownerId),
    async updateMetadata(id, metadata) {
      const record = await findById(id);
      if (record !== null) await save({ ...record, metadata: { ...record.metadata, ...metadata } });
    },
    delete: async (id) => void await db.query("delete from api_keys where id = $1", [id]),
    deleteByOwner: async (ownerId) => void await db.query("delete from api_keys where owner_id = $1", [ownerId]),
    ...auditStore(db),
  };
}

const COLUMNS = `id, owner_id, org_id, key_hash, name, description, scopes, resources, tags, enabled, rotated_to_id,
  (extract(epoch from created_at) * 1000)::float8 as created_at, (extract(epoch from expires_at) * 1000)::float8 as expires_at,
  (extract(epoch from revoked_at) * 1000)::float8 as revoked_at, (extract(epoch from last_used_at) * 1000)::float8 as last_used_at`;

const SAVE = `
  insert into api_keys (id, owner_id, org_id, key_hash, name, description, scopes, resources, tags, enabled, rotated_to_id,
    created_at, expires_at, revoked_at, last_used_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8::text::json, $9, $10, $11, coalesce($12::timestamptz, clock_timestamp()), $13, $14, $15)
  on conflict (id) do update set owner_id = excluded.owner_id, org_id = excluded.org_id, key_hash = excluded.key_hash,
    name = excluded.name, description = excluded.description, scopes = excluded.scopes, resources = excluded.resources,
    tags = excluded.tags, enabled = excluded.enabled, rotated_to_id = excluded.rotated_to_id,
    expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, last_used_at = excluded.last_used_at,
    updated_at = now()`;

interface KeyRow {
  readonly id: string;
  readonly owner_id: string;
  readonly org_id: string | null;
  readonly key_hash: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly scopes: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  readonly rotated_to_id: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

function toValues({ id, keyHash, metadata }: ApiKeyRecord): readonly unknown[] {
  return [
    id,
    metadata.ownerId,
    metadata.orgId ?? null,
    keyHash,
    metadata.name ?? null,
    metadata.description ?? null,
    metadata.scopes ?? [],
    JSON.stringify(metadata.resources ?? {}),
    metadata.tags ?? [],
    metadata.enabled ?? true,
    metadata.rotatedTo ?? null,
    metadata.createdAt ?? null,
    metadata.expiresAt ?? null,
    metadata.revokedAt ?? null,
    metadata.lastUsedAt ?? null,
  ];
}

function toRecord(row: KeyRow): ApiKeyRecord {
  const metadata: ApiKeyMetadata = {
    ownerId: row.owner_id,
    ...(row.org_id !== null && { orgId: row.org_id }),
    ...(row.name !== null && { name: row.name }),
    ...(row.description !== null && { description: row.description }),
    scopes: row.scopes,
    resources: row.resources,
    tags: row.tags,
    enabled: row.enabled,
    createdAt: iso(row.created_at),
    expiresAt: isoOrNull(row.expires_at),
    revokedAt: isoOrNull(row.revoked_at),
    lastUsedAt: isoOrNull(row.last_used_at),
    rotatedTo: row.rotated_to_id,
  };
  return { id: row.id, keyHash: row.key_hash, metadata };
}

/** ISO 8601 of ms since the epoch. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
