import type { Plan } from "@alkdev/flowgraph";
import type { PlanStore } from "../../engine/ports.ts";
import type { Database } from "./database.ts";

const DEFAULT_CACHED = 500;

/** How long a plan that was put is taken to be there. Pruning leaves one alone that was put within a day. */
const STORED_MS = 3_600_000;
const PUT = `insert into plans (hash, plan) values ($1, $2) on conflict (hash) do update set created_at = now()
  where plans.created_at < now() - interval '1 hour'`;

/**
 * Plans by hash. The last `cached` ones used are kept in memory; a plan never changes, so they are never stale. One that no run
 * has is deleted some day (prune_store.ts): so a put says again, once an hour, that it is wanted.
 */
export function createPlanStore(
  db: Database,
  params: { readonly cached?: number; readonly now?: () => number } = {},
): PlanStore {
  const { cached = DEFAULT_CACHED, now = Date.now } = params;
  const putAt = new Map<string, number>();
  const plans = new Map<string, Plan>();
  const remember = (hash: string, plan: Plan) => {
    plans.delete(hash);
    plans.set(hash, plan);
    if (plans.size <= cached) return;
    for (const oldest of plans.keys()) {
      putAt.delete(oldest);
      return void plans.delete(oldest);
    }
  };
  return {
    async put(hash, plan) {
      const at = now();
      if (at - (putAt.get(hash) ?? -Infinity) < STORED_MS) return;
      await db.query(PUT, [hash, toText(plan)]);
      remember(hash, plan);
      putAt.set(hash, at);
    },
    async get(hash) {
      const known = plans.get(hash);
      if (known !== undefined) return known;
      const [row] = await db.query<{ plan: string }>("select plan from plans where hash = $1", [hash]);
      if (row === undefined) return null;
      const plan = JSON.parse(row.plan) as Plan; // written by put, from a Plan
      remember(hash, plan);
      return plan;
    },
  };
}

function toText(plan: Plan): string {
  return JSON.stringify(plan);
}
