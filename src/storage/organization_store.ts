import type { Queryable } from "./database.ts";

/** Makes sure that an account has a row, for foreign keys: one that was not known before is a service account. */
export async function ensureAccount(db: Queryable, id: string): Promise<void> {
  await db.query(
    "insert into accounts (id, email, access_level) values ($1, $1 || '@hub.invalid', 'service') on conflict do nothing",
    [id],
  );
}

/** Makes sure that an organization has a row; a new one is named by its id and belongs to the account `admin`. */
export async function ensureOrganization(db: Queryable, id: string): Promise<void> {
  await db.query(
    "insert into organizations (id, name, slug, owner_id) values ($1, $1, $1, 'admin') on conflict do nothing",
    [id],
  );
}
