import { and, asc, desc, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { Role, RoleStore } from "../roles/mod.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { roles, roleVersionRow, roleVersions } from "./schema/mod.ts";
import { Value } from "@alkdev/typebox/value";

type Row = typeof roles.$inferSelect;
type VersionRow = typeof roleVersions.$inferSelect;

/** Roles in the database, for any number of hubs. */
export function createRoleStore(db: Database): RoleStore {
  const { orm } = db;
  const latest = and(eq(roleVersions.roleId, roles.id), eq(roleVersions.version, roles.version));
  const named = (orgId: string, name: string) => and(eq(roles.orgId, column(orgId)), eq(roles.name, column(name)));
  const select = () => orm.select({ role: roles, version: roleVersions }).from(roles);
  return {
    async get({ orgId, name, version }) {
      const which = version === null
        ? latest
        : and(eq(roleVersions.roleId, roles.id), eq(roleVersions.version, version));
      const [row] = await select().innerJoin(roleVersions, which).where(named(orgId, name));
      return row === undefined ? null : toRole(row.role, row.version);
    },
    async list({ orgId, archived, limit, after }) {
      const rows = await select().innerJoin(roleVersions, latest).where(and(
        eq(roles.orgId, column(orgId)),
        archived ? undefined : isNull(roles.archivedAt),
        after === null ? undefined : gt(sql`${roles.name} collate "C"`, column(after)),
      )).orderBy(asc(sql`${roles.name} collate "C"`)).limit(limit);
      return rows.map((row) => toRole(row.role, row.version));
    },
    async versions({ orgId, name, limit, before }) {
      const rows = await select().innerJoin(roleVersions, eq(roleVersions.roleId, roles.id)).where(
        and(named(orgId, name), before === null ? undefined : lt(roleVersions.version, before)),
      ).orderBy(desc(roleVersions.version)).limit(limit);
      return rows.map((row) => toRole(row.role, row.version));
    },
    async put({ orgId, name, before, definition, builtIn, createdBy, now }) {
      await ensureOrganization(db, orgId);
      return await orm.transaction(async (tx) => {
        const version = before + 1;
        const [row] = before === 0
          ? await tx.insert(roles).values({
            id: crypto.randomUUID(),
            orgId: column(orgId),
            name: column(name),
            version,
            createdAt: now,
            updatedAt: now,
          }).onConflictDoNothing().returning()
          : await tx.update(roles).set({ version, archivedAt: null, updatedAt: now })
            .where(and(named(orgId, name), eq(roles.version, before))).returning();
        if (row === undefined) return null;
        const written = { roleId: row.id, version, definition, builtIn, createdBy, createdAt: now };
        await tx.insert(roleVersions).values(written);
        return toRole(row, written);
      });
    },
    async archive({ orgId, name, now }) {
      const [row] = await orm.update(roles)
        .set({ archivedAt: sql`coalesce(${roles.archivedAt}, ${new Date(now).toISOString()}::timestamptz)` })
        .where(named(orgId, name)).returning();
      if (row === undefined) return null;
      const [version] = await orm.select().from(roleVersions)
        .where(and(eq(roleVersions.roleId, row.id), eq(roleVersions.version, row.version)));
      return version === undefined ? null : toRole(row, version);
    },
  };
}

function toRole({ id, orgId, name, archivedAt }: Row, row: VersionRow): Role {
  const first = Value.Errors(roleVersionRow, row).First();
  if (first !== undefined) throw new Error(`Cannot read version ${row.version} of role "${id}": ${first.message}`);
  const { definition, version, builtIn, createdBy, createdAt } = row;
  return { id, orgId, name, version, builtIn, createdBy, createdAt, ...definition, archivedAt };
}
