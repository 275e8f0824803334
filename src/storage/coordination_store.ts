import { and, asc, count, desc, eq, inArray, isNotNull, isNull, lte, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { CoordinationStore, Detection, Mapping, MappingChange, Notice } from "../coordination/mod.ts";
import type { Database, Orm } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { detections, mappings, notices } from "./schema/mod.ts";

/** Mappings, notices and detections in the database, for any number of hubs. */
export function createCoordinationStore(db: Database): CoordinationStore {
  const { orm } = db;
  return {
    ...mappingStore(db, orm),
    ...noticeStore(orm),
    async addDetection(detection) {
      const written = await orm.insert(detections).values(detectionRow(detection)).onConflictDoNothing()
        .returning({ id: detections.id });
      return written.length > 0;
    },
    async detections({ orgId, sessionIds, type, limit, after }) {
      const rows = await orm.select().from(detections).where(and(
        eq(detections.orgId, column(orgId)),
        within(detections.sessionId, sessionIds),
        type === undefined ? undefined : eq(detections.type, column(type)),
        after === undefined ? undefined : pastPage(detections, { orgId, after }),
      )).orderBy(desc(detections.createdAt), desc(detections.id)).limit(limit);
      return rows.map(toDetection);
    },
  };
}

/** Text as PostgreSQL can hold it, lines and all. */
function storable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.toWellFormed().replace(/\u0000/g, "\ufffd");
}

type MappingStore = Pick<CoordinationStore, "plan" | "get" | "list" | "change" | "takeDue">;

function mappingStore(db: Database, orm: Orm): MappingStore {
  return {
    async plan({ mappings: wanted, caps }) {
      const [first] = wanted;
      if (first === undefined) return { mappings: [] };
      await ensureOrganization(db, first.orgId);
      return await orm.transaction(async (tx) => {
        // One at a time in a tree: what is counted below must not change before it is added to.
        await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${first.orgId} ${first.treeId}`}, 26))`);
        const known = await byKeys(tx, wanted);
        const added = wanted.filter(({ key }) => !known.has(key));
        if (added.length > 0) {
          const children = await countOf(tx, and(isSiblingOf(first), eq(mappings.status, "active")));
          if (children + added.length > caps.breadth) return { refused: "breadth", present: children } as const;
          const tree = await countOf(tx, and(eq(mappings.orgId, first.orgId), eq(mappings.treeId, first.treeId)));
          if (tree + added.length > caps.sessions) return { refused: "sessions", present: tree } as const;
          await tx.insert(mappings).values(added.map(mappingRow)).onConflictDoNothing();
        }
        const all = added.length === 0 ? known : await byKeys(tx, wanted);
        return { mappings: wanted.map(({ key }) => all.get(key)!) };
      });
    },
    async get({ orgId, id }) {
      const [row] = await orm.select().from(mappings).where(
        and(eq(mappings.orgId, column(orgId)), eq(mappings.id, column(id))),
      );
      return row === undefined ? null : toMapping(row);
    },
    async list({ orgId, ids, sessionIds, taskIds, parentSessionId, parentRunId, treeId, status, limit, after }) {
      const rows = await orm.select().from(mappings).where(and(
        eq(mappings.orgId, column(orgId)),
        within(mappings.id, ids),
        within(mappings.sessionId, sessionIds),
        within(mappings.taskId, taskIds),
        parentSessionId === undefined ? undefined : eq(mappings.parentSessionId, column(parentSessionId)),
        parentRunId === undefined ? undefined : eq(mappings.parentRunId, column(parentRunId)),
        treeId === undefined ? undefined : eq(mappings.treeId, column(treeId)),
        status === undefined ? undefined : inArray(mappings.status, [...status]),
        after === undefined ? undefined : pastPage(mappings, { orgId, after }),
      )).orderBy(desc(mappings.createdAt), desc(mappings.id)).limit(limit);
      return rows.map(toMapping);
    },
    async change({ orgId, id, from, change, now }) {
      const [row] = await orm.update(mappings).set({ ...changed(change), updatedAt: now }).where(and(
        eq(mappings.orgId, column(orgId)),
        eq(mappings.id, column(id)),
        inArray(mappings.status, [...from]),
      )).returning();
      return row === undefined ? null : toMapping(row);
    },
    async takeDue({ now, forMs, limit }) {
      const due = orm.select({ id: mappings.id }).from(mappings)
        .where(and(isNotNull(mappings.dueAt), lte(mappings.dueAt, now)))
        .orderBy(asc(mappings.dueAt)).limit(limit).for("update", { skipLocked: true });
      const rows = await orm.update(mappings).set({ dueAt: now + forMs }).where(inArray(mappings.id, due)).returning();
      return rows.map(toMapping);
    },
  };
}

type NoticeStore = Pick<CoordinationStore, "addNotice" | "notice" | "notices" | "changeNotice" | "takeDueNotices">;

function noticeStore(orm: Orm): NoticeStore {
  return {
    async addNotice(notice) {
      await orm.insert(notices).values(noticeRow(notice)).onConflictDoNothing();
      const [row] = await orm.select().from(notices).where(eq(notices.id, notice.id));
      if (row === undefined) throw new Error(`Cannot store notice ${notice.id}: no row came back`);
      return toNotice(row);
    },
    async notice({ orgId, id }) {
      const [row] = await orm.select().from(notices).where(
        and(eq(notices.orgId, column(orgId)), eq(notices.id, column(id))),
      );
      return row === undefined ? null : toNotice(row);
    },
    async notices({ orgId, mappingIds, level, kind, open, limit, after }) {
      const rows = await orm.select().from(notices).where(and(
        eq(notices.orgId, column(orgId)),
        within(notices.mappingId, mappingIds),
        level === undefined ? undefined : eq(notices.level, level),
        kind === undefined ? undefined : eq(notices.kind, kind),
        open === true ? and(eq(notices.level, "blocking"), isNull(notices.answeredAt)) : undefined,
        after === undefined ? undefined : pastPage(notices, { orgId, after }),
      )).orderBy(desc(notices.createdAt), desc(notices.id)).limit(limit);
      return rows.map(toNotice);
    },
    async changeNotice({ orgId, id, change, now }) {
      await orm.update(notices).set({ ...change, updatedAt: now }).where(
        and(eq(notices.orgId, column(orgId)), eq(notices.id, column(id))),
      );
    },
    async takeDueNotices({ now, forMs, limit }) {
      const due = orm.select({ id: notices.id }).from(notices)
        .where(and(isNotNull(notices.dueAt), lte(notices.dueAt, now)))
        .orderBy(asc(notices.dueAt)).limit(limit).for("update", { skipLocked: true });
      const rows = await orm.update(notices).set({ dueAt: now + forMs }).where(inArray(notices.id, due)).returning();
      return rows.map(toNotice);
    },
  };
}

async function byKeys(tx: Orm, wanted: readonly Mapping[]): Promise<ReadonlyMap<string, Mapping>> {
  const rows = await tx.select().from(mappings).where(
    and(eq(mappings.orgId, wanted[0]!.orgId), inArray(mappings.spawnKey, wanted.map(({ key }) => key))),
  );
  return new Map(rows.map((row) => [row.spawnKey, toMapping(row)]));
}

async function countOf(tx: Orm, where: SQL | undefined): Promise<number> {
  const [row] = await tx.select({ n: count() }).from(mappings).where(where);
  return row?.n ?? 0;
}

/** Children of one parent: of a session, else of a run; those of people are alone. */
function isSiblingOf({ orgId, parentSessionId, parent }: Mapping): SQL | undefined {
  const org = eq(mappings.orgId, orgId);
  if (parentSessionId !== null) return and(org, eq(mappings.parentSessionId, parentSessionId));
  if (parent === null) return sql`false`;
  return and(org, isNull(mappings.parentSessionId), eq(mappings.parentRunId, parent.runId));
}

function within(at: PgColumn, values: readonly string[] | undefined): SQL | undefined {
  return values === undefined ? undefined : values.length === 0 ? sql`false` : inArray(at, values.map(column));
}

interface Paged extends PgTable {
  readonly id: PgColumn;
  readonly orgId: PgColumn;
  readonly createdAt: PgColumn;
}

/** Rows older than the one of the id; none where there is no such row in the organization. */
function pastPage(table: Paged, { orgId, after }: { readonly orgId: string; readonly after: string }): SQL {
  return sql`(${table.createdAt}, ${table.id}) < (select created_at, id from ${table} as last
    where last.org_id = ${column(orgId)} and last.id = ${column(after)})`;
}

function mappingRow(mapping: Mapping): typeof mappings.$inferInsert {
  const { key, parent, role, model, prompt, budget, workspace, caller, ...rest } = mapping;
  const body = { parent, role, model, prompt, budget, workspace, caller };
  return {
    ...rest,
    task: column(rest.task),
    spawnKey: key,
    parentRunId: parent?.runId ?? null,
    spoke: workspace?.spoke ?? null,
    branch: workspace?.branch ?? null,
    body,
  };
}

function changed({ result, ...rest }: MappingChange): Partial<typeof mappings.$inferInsert> {
  return { ...rest, ...(result !== undefined && { result: result === null ? null : storable(result) }) };
}

function toMapping(row: typeof mappings.$inferSelect): Mapping {
  const { metadata: _m, spawnKey, parentRunId: _r, spoke: _s, branch: _b, body, error, ...rest } = row;
  // Only `mappingRow` and `changed` write there.
  const { parent, role, model, prompt, budget, workspace, caller } = body as Mapping;
  return {
    ...rest,
    key: spawnKey,
    ...{ parent, role, model, prompt, budget, workspace, caller },
    error: error as Mapping["error"],
  };
}

function noticeRow({ text, ...rest }: Notice): typeof notices.$inferInsert {
  return { ...rest, body: storable(text), sender: column(rest.sender) };
}

function toNotice({ metadata: _m, updatedAt: _u, body, answer, ...rest }: typeof notices.$inferSelect): Notice {
  return { ...rest, text: body, answer: (answer ?? null) as Notice["answer"] }; // only a Notice is written there
}

function detectionRow({ suggestion, details, ...rest }: Detection): typeof detections.$inferInsert {
  return { ...rest, occurrence: column(rest.occurrence), details: { suggestion, details } };
}

function toDetection(row: typeof detections.$inferSelect): Detection {
  const { metadata: _m, updatedAt: _u, type, details, ...rest } = row;
  // Only `detectionRow` writes there.
  return { ...rest, type: type as Detection["type"], ...details as Pick<Detection, "suggestion" | "details"> };
}
