import type { Plan } from "@alkdev/flowgraph";
import type { PlanStore } from "../../engine/ports.ts";
import type { Database } from "./database.ts";

const DEFAULT_CACHED = 500;

/** Plans by hash. The last `cached` ones used are kept in memory; a plan never changes, so they are never stale. */
export function createPlanStore(db: Database, params: { readonly cached?: number } = {}): PlanStore {
  const { cached = DEFAULT_CACHED } = params;
  const plans = new Map<string, Plan>();
  const remember = (hash: string, plan: Plan) => {
    plans.delete(hash);
    plans.set(hash, plan);
    if (plans.size > cached) { for (const oldest of plans.keys()) return void plans.delete(oldest); }
  };
  return {
    async put(hash, plan) {
      if (plans.has(hash)) return;
      await db.query("insert into plans (hash, plan) values ($1, $2) on conflict do nothing", [hash, toText(plan)]);
      remember(hash, plan);
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
