import { Value } from "@alkdev/typebox/value";
import { and, eq, sql } from "drizzle-orm";
import {
  type InferencePolicy,
  InferencePolicySchema,
  type PolicyStore,
  type ResponseOwners,
  type StoredPolicy,
} from "../inference/mod.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { ensureOrganization } from "./organization_store.ts";
import { inferencePolicies, inferenceResponses } from "./schema/mod.ts";

export function createPolicyStore(db: Database): PolicyStore {
  return {
    async get(orgId) {
      const [row] = await db.orm.select().from(inferencePolicies).where(eq(inferencePolicies.orgId, column(orgId)));
      return row === undefined ? { policy: {}, revision: 0 } : stored(row);
    },
    async put(orgId, policy) {
      await ensureOrganization(db, orgId);
      const [row] = await db.orm.insert(inferencePolicies).values({ orgId: column(orgId), revision: 1, body: policy })
        .onConflictDoUpdate({
          target: inferencePolicies.orgId,
          set: { body: policy, revision: sql`${inferencePolicies.revision} + 1`, updatedAt: sql`now()` },
        }).returning();
      if (row === undefined) throw new Error("Cannot store a policy: no row came back");
      return stored(row);
    },
  };
}

function stored({ body, revision }: { readonly body: unknown; readonly revision: number }): StoredPolicy {
  // What another version wrote and this one does not know must not be taken for "no limit".
  if (!Value.Check(InferencePolicySchema, body)) throw new Error("The stored policy is not one that this hub can read");
  return { policy: body as InferencePolicy, revision }; // just checked
}

/** Responses that nobody has come back to for so long are forgotten: providers keep them for 30 days. */
export const RESPONSES_KEPT = "40 days";

export function createResponseOwners(db: Database): ResponseOwners {
  const is = ({ orgId, id }: { readonly orgId: string; readonly id: string }) =>
    and(eq(inferenceResponses.orgId, column(orgId)), eq(inferenceResponses.id, column(id)));
  return {
    async put({ orgId, id, provider }) {
      await ensureOrganization(db, orgId);
      await db.orm.insert(inferenceResponses).values({ orgId: column(orgId), id: column(id), provider })
        .onConflictDoNothing();
    },
    async find(params) {
      const [row] = await db.orm.select().from(inferenceResponses).where(is(params));
      return row === undefined ? null : { provider: row.provider };
    },
    async remove(params) {
      await db.orm.delete(inferenceResponses).where(is(params));
    },
  };
}

/** Takes away minutes that are over, and responses that nobody will ask for. */
export async function sweepInference(db: Database): Promise<void> {
  await db.query(`delete from budgets where kind = 'minute' and created_at < now() - interval '2 hours'`);
  await db.query(`delete from inference_responses where created_at < now() - interval '${RESPONSES_KEPT}'`);
}
