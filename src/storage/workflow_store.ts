import type { Json } from "@alkdev/flowgraph";
import type { Database } from "./database.ts";
import { ensureOrganization } from "./organization_store.ts";

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
}

/** Fulfils the template room's `WorkflowStore`. */
export interface StoredWorkflows {
  save(workflow: WorkflowRow): Promise<void>;
  get(
    params: { readonly orgId: string | null; readonly name: string; readonly version?: string },
  ): Promise<WorkflowRow | null>;
  list(params: { readonly orgId: string | null }): Promise<readonly WorkflowRow[]>;
}

const COLUMNS = `org_id as "orgId", name, version, title, description, template, input_schema as "inputSchema",
  output_schema as "outputSchema"`;

/** Versions for ever; the one saved last is the latest of its name. Templates keep the order of their keys. */
export function createWorkflowStore(db: Database): StoredWorkflows {
  return {
    async save(workflow) {
      const { orgId } = workflow;
      if (orgId !== null) await ensureOrganization(db, orgId);
      await db.query(
        `insert into workflows (id, org_id, name, version, title, description, template, input_schema, output_schema,
           created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7::text::json, $8::text::json, $9::text::json, clock_timestamp(), clock_timestamp())
         on conflict (org_id, name, version) do update set title = excluded.title, description = excluded.description,
           template = excluded.template, input_schema = excluded.input_schema, output_schema = excluded.output_schema,
           updated_at = excluded.updated_at`,
        [
          crypto.randomUUID(),
          orgId,
          workflow.name,
          workflow.version,
          workflow.title,
          workflow.description,
          JSON.stringify(workflow.template),
          text(workflow.inputSchema),
          text(workflow.outputSchema),
        ],
      );
    },
    async get({ orgId, name, version }) {
      const rows = await db.query<WorkflowRow>(
        `select ${COLUMNS} from workflows
         where org_id is not distinct from $1 and name = $2 and ($3::text is null or version = $3)
         order by updated_at desc limit 1`,
        [orgId, name, version ?? null],
      );
      return rows[0] ?? null;
    },
    list: ({ orgId }) =>
      db.query<WorkflowRow>(
        `select distinct on (name) ${COLUMNS} from workflows where org_id is not distinct from $1
         order by name, updated_at desc`,
        [orgId],
      ),
  };
}

function text(value: Json | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
