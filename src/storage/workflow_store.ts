import type { Json, WorkflowExposure } from "@alkdev/flowgraph";
import { and, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { checkedRow } from "./checked_row.ts";
import type { Database } from "./database.ts";
import { excluded } from "./excluded.ts";
import { ensureOrganization } from "./organization_store.ts";
import { workflowRow, workflows } from "./schema/mod.ts";

/** A version of a workflow as it is kept. `orgId` null: from a file, shared by all. */
export interface WorkflowRow {
  readonly orgId: string | null;
  readonly name: string;
  readonly version: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly template: Json;
  readonly inputSchema: Json | null;
  readonly outputSchema: Json | null;
  readonly flow: Json | null;
  readonly expose: WorkflowExposure | null;
}

/** Fulfils the template room's `WorkflowStore`. */
export interface StoredWorkflows {
  save(workflow: WorkflowRow): Promise<void>;
  get(
    params: { readonly orgId: string | null; readonly name: string; readonly version?: string },
  ): Promise<WorkflowRow | null>;
  versions(
    params: { readonly orgId: string | null; readonly name: string; readonly limit: number },
  ): Promise<readonly { readonly version: string; readonly savedAt: number }[]>;
  list(params: { readonly orgId: string | null }): Promise<readonly WorkflowRow[]>;
}

/** Versions for ever; the one saved last is the latest of its name. Templates keep the order of their keys. */
export function createWorkflowStore(db: Database): StoredWorkflows {
  const { orm } = db;
  return {
    async save({ orgId, name, version, title, description, template, inputSchema, outputSchema, flow, expose }) {
      if (orgId !== null) await ensureOrganization(db, orgId);
      await orm.insert(workflows).values({
        id: crypto.randomUUID(),
        orgId,
        name,
        version,
        title,
        description,
        template,
        inputSchema,
        outputSchema,
        flow,
        expose,
        createdAt: NOW,
        updatedAt: NOW,
      }).onConflictDoUpdate({
        target: [workflows.orgId, workflows.name, workflows.version],
        set: excluded({
          title: workflows.title,
          description: workflows.description,
          template: workflows.template,
          inputSchema: workflows.inputSchema,
          outputSchema: workflows.outputSchema,
          flow: workflows.flow,
          expose: workflows.expose,
          updatedAt: workflows.updatedAt,
        }),
      });
    },
    async get({ orgId, name, version }) {
      const isVersion = version === undefined ? undefined : eq(workflows.version, version);
      const [row] = await orm.select().from(workflows).where(and(ownedBy(orgId), eq(workflows.name, name), isVersion))
        .orderBy(desc(workflows.updatedAt)).limit(1);
      return row === undefined ? null : toWorkflow(row);
    },
    async versions({ orgId, name, limit }) {
      const rows = await orm.select({ version: workflows.version, savedAt: workflows.updatedAt }).from(workflows)
        .where(and(ownedBy(orgId), eq(workflows.name, name))).orderBy(desc(workflows.updatedAt)).limit(limit);
      return rows.map(({ version, savedAt }) => ({ version, savedAt: Number(savedAt) }));
    },
    async list({ orgId }) {
      const rows = await orm.selectDistinctOn([workflows.name]).from(workflows).where(ownedBy(orgId))
        .orderBy(workflows.name, desc(workflows.updatedAt));
      return rows.map(toWorkflow);
    },
  };
}

/** Two saves in one transaction have one `now()`; which was the later must still be known. */
const NOW: SQL = sql`clock_timestamp()`;

function ownedBy(orgId: string | null): SQL {
  return orgId === null ? isNull(workflows.orgId) : eq(workflows.orgId, orgId);
}

function toWorkflow(row: typeof workflows.$inferSelect): WorkflowRow {
  const { orgId, name, version, title, description, template, inputSchema, outputSchema, flow, expose } = checkedRow(
    "workflows",
    workflowRow,
    row,
  );
  return { orgId, name, version, title, description, template, inputSchema, outputSchema, flow, expose };
}
