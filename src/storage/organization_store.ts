import { asc, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { accounts, organizationMembers, organizations } from "./schema/mod.ts";

/** Makes sure that an account has a row, for foreign keys: one that was not known before is a service account. */
export async function ensureAccount({ orm }: Pick<Database, "orm">, id: string): Promise<void> {
  await orm.insert(accounts).values({ id, email: `${id}@hub.invalid`, accessLevel: "service" }).onConflictDoNothing();
}

/** Makes sure that an organization has a row; a new one is named by its id and belongs to the account `admin`. */
export async function ensureOrganization({ orm }: Pick<Database, "orm">, id: string): Promise<void> {
  await orm.insert(organizations).values({ id, name: id, slug: id, ownerId: "admin" }).onConflictDoNothing();
}

/** Makes an account a member of an organization that is there, if it is not: its owner where it owns it. */
export async function ensureMember(
  { orm }: Pick<Database, "orm">,
  { orgId, accountId }: { readonly orgId: string; readonly accountId: string },
): Promise<void> {
  const membershipLevel = sql<"owner" | "member">`case when exists (
    select 1 from organizations o where o.id = ${orgId} and o.owner_id = ${accountId}) then 'owner' else 'member' end`;
  await orm.insert(organizationMembers).values({ id: crypto.randomUUID(), orgId, accountId, membershipLevel })
    .onConflictDoNothing();
}

/** A tenant. `createdAt` is ms since the epoch. */
export interface OrganizationRow {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

/** Tenants by id. */
export async function listOrganizations({ orm }: Pick<Database, "orm">): Promise<readonly OrganizationRow[]> {
  const { id, name, ownerId, createdAt } = organizations;
  return await orm.select({ id, name, ownerId, createdAt }).from(organizations).orderBy(asc(id));
}

/** Null: there is one of this id or name. */
export async function addOrganization(
  db: Pick<Database, "orm">,
  { id, name, ownerId }: { readonly id: string; readonly name: string; readonly ownerId: string },
): Promise<OrganizationRow | null> {
  await ensureAccount(db, ownerId);
  const { createdAt } = organizations;
  const [row] = await db.orm.insert(organizations).values({ id, name, slug: id, ownerId }).onConflictDoNothing()
    .returning({ id: organizations.id, name: organizations.name, ownerId: organizations.ownerId, createdAt });
  return row ?? null;
}
