import { and, asc, count, eq, gt, isNull, or, sql } from "drizzle-orm";
import type { Member, MemberStore } from "../roles/mod.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureAccount, ensureOrganization } from "./organization_store.ts";
import { accounts, apiKeys, organizationMembers } from "./schema/mod.ts";

/** Memberships in the database, with the number of each one's live keys. */
export function createMemberStore(db: Database): MemberStore {
  const { orm } = db;
  const keys = orm.select({ n: count() }).from(apiKeys).where(and(
    eq(apiKeys.orgId, organizationMembers.orgId),
    eq(apiKeys.ownerId, organizationMembers.accountId),
    eq(apiKeys.enabled, true),
    isNull(apiKeys.revokedAt),
    or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)),
  ));
  const select = () =>
    orm.select({ member: organizationMembers, kind: accounts.accessLevel, keys: sql<string>`(${keys})` })
      .from(organizationMembers).innerJoin(accounts, eq(accounts.id, organizationMembers.accountId));
  const is = (orgId: string, accountId: string) =>
    and(eq(organizationMembers.orgId, column(orgId)), eq(organizationMembers.accountId, column(accountId)));
  const get: MemberStore["get"] = async ({ orgId, accountId }) => {
    const [row] = await select().where(is(orgId, accountId));
    return row === undefined ? null : toMember(row);
  };
  return {
    get,
    async list({ orgId, limit, after }) {
      const byId = sql`${organizationMembers.accountId} collate "C"`;
      const rows = await select().where(
        and(eq(organizationMembers.orgId, column(orgId)), after === null ? undefined : gt(byId, column(after))),
      ).orderBy(asc(byId)).limit(limit);
      return rows.map(toMember);
    },
    async add({ orgId, accountId, displayName, now }) {
      await ensureOrganization(db, orgId);
      await ensureAccount(db, accountId);
      const made = await orm.insert(organizationMembers).values({
        id: crypto.randomUUID(),
        orgId: column(orgId),
        accountId: column(accountId),
        membershipLevel: "member",
        displayName: column(displayName),
        createdAt: now,
      }).onConflictDoNothing().returning({ id: organizationMembers.id });
      return made.length === 0 ? null : await get({ orgId, accountId });
    },
    async set({ orgId, accountId, status, displayName, level }) {
      await orm.update(organizationMembers).set({
        ...(status !== undefined && { status }),
        ...(displayName !== undefined && { displayName: column(displayName) }),
        ...(level !== undefined && { membershipLevel: level }),
        updatedAt: sql`now()`,
      }).where(is(orgId, accountId));
      return await get({ orgId, accountId });
    },
  };
}

function toMember(
  { member, kind, keys }: {
    readonly member: typeof organizationMembers.$inferSelect;
    readonly kind: Member["kind"];
    /** A count is a bigint, which comes as a text. */
    readonly keys: string | number;
  },
): Member {
  const { orgId, accountId, displayName, membershipLevel: level, status, createdAt } = member;
  return {
    orgId,
    accountId,
    displayName: displayName === "" ? accountId : displayName,
    kind,
    level,
    status,
    createdAt,
    keys: Number(keys),
  };
}
