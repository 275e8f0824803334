import type { Database } from "./database.ts";
import { accounts, organizations } from "./schema/mod.ts";

/** Makes sure that an account has a row, for foreign keys: one that was not known before is a service account. */
export async function ensureAccount({ orm }: Pick<Database, "orm">, id: string): Promise<void> {
  await orm.insert(accounts).values({ id, email: `${id}@hub.invalid`, accessLevel: "service" }).onConflictDoNothing();
}

/** Makes sure that an organization has a row; a new one is named by its id and belongs to the account `admin`. */
export async function ensureOrganization({ orm }: Pick<Database, "orm">, id: string): Promise<void> {
  await orm.insert(organizations).values({ id, name: id, slug: id, ownerId: "admin" }).onConflictDoNothing();
}
