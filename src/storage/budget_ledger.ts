import { CallError } from "@alkdev/operations";
import type {
  AmountLimits,
  Amounts,
  Balance,
  BudgetBook,
  BudgetLedger,
  BudgetRecord,
  Charge,
  HolderName,
  Refusal,
  Reservation,
  UsageRow,
} from "../budgets/mod.ts";
import { and, desc, eq, gte, lt, ne, type SQL, sql } from "drizzle-orm";
import { BudgetBatch } from "./budget_batch.ts";
import type { Database } from "./database.ts";
import { column } from "./event_body.ts";
import { budgetCharges, budgets } from "./schema/mod.ts";

export interface StoredBudgets extends BudgetLedger, BudgetBook {}

/** The ledger in the database: see `budget_ledger_v2` in the migrations for how it is exact. */
export function createBudgetLedger(db: Database): StoredBudgets {
  const batch = new BudgetBatch(db);
  // Answers are as the function makes them.
  const ask = async <Answer>(op: object): Promise<Answer> => await batch.ask(op) as Answer;
  const changed = async (op: object) => (await ask<{ readonly changed: boolean }>(op)).changed;
  return {
    async reserve(charge) {
      const answer = await ask<Reservation & { state: "reserved" | "settled" } | Refusal>({
        op: "reserve",
        ...chargeOp(charge),
        holders: charge.holders.map(({ kind, id, limits = {} }) => ({ kind, id: column(id), ...limitsOp(limits) })),
        expires: charge.expiresAt,
      });
      return "which" in answer ? { refused: answer } : { refused: null, state: answer.state };
    },
    async raise({ orgId, id, upTo }) {
      const answer = await ask<object | Refusal>({ op: "raise", ...keyOp({ orgId, id }), ...amountsOp(upTo) });
      return "which" in answer ? answer : null;
    },
    settle: ({ orgId, id, spent, model }) =>
      changed({ op: "settle", ...keyOp({ orgId, id }), ...amountsOp(spent), ...modelOp(model) }),
    release: (key) => changed({ op: "release", ...keyOp(key) }),
    record: async (charge) => void await ask({ op: "record", ...chargeOp(charge), ...modelOp(charge.model) }),
    async balance({ orgId, kind, id }) {
      const [row] = await db.orm.select().from(budgets).where(isHolder(orgId, { kind, id }));
      return row === undefined ? null : balanceOf(row);
    },
    async setLimits({ orgId, kind, id, limits }) {
      const set = {
        callsLimit: limits.calls ?? null,
        tokensLimit: limits.tokens ?? null,
        costLimit: limits.costMicros ?? null,
      };
      const [row] = await db.orm.insert(budgets)
        .values({ orgId: column(orgId), kind, id: column(id), ...set })
        .onConflictDoUpdate({ target: [budgets.orgId, budgets.kind, budgets.id], set }).returning();
      if (row === undefined) throw new Error("Cannot set the limits of a budget: no row came back");
      return balanceOf(row);
    },
    ...book(db),
  };
}

function book(db: Database): BudgetBook {
  return {
    async list({ orgId, kind, limit, cursor }) {
      const rows = await db.orm.select().from(budgets)
        .where(and(
          eq(budgets.orgId, column(orgId)),
          kind === undefined ? ne(budgets.kind, "minute") : eq(budgets.kind, kind),
          after(cursor),
        ))
        .orderBy(desc(budgets.createdAt), desc(budgets.kind), desc(budgets.id)).limit(limit + 1);
      const items = rows.slice(0, limit).map(recordOf);
      const last = items.at(-1);
      return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
    },
    async usage({ orgId, by, since, until, limit }) {
      const group = {
        workflow: budgetCharges.workflow,
        operation: budgetCharges.operationId,
        run: sql<string | null>`${budgetCharges.runId}::text`,
        key: budgetCharges.identityId,
        model: budgetCharges.model,
      }[by];
      const sum = (amount: SQL | typeof budgetCharges.calls) => sql<number>`sum(${amount})::float8`;
      const [calls, tokens, costMicros] = [
        sum(budgetCharges.calls),
        sum(budgetCharges.tokens),
        sum(budgetCharges.costMicros),
      ];
      const rows: UsageRow[] = await db.orm.select({ group: sql<string | null>`${group}`, calls, tokens, costMicros })
        .from(budgetCharges)
        .where(and(
          eq(budgetCharges.orgId, column(orgId)),
          eq(budgetCharges.state, "settled"),
          gte(budgetCharges.at, since),
          until === undefined ? undefined : lt(budgetCharges.at, until),
        ))
        .groupBy(group).orderBy(desc(costMicros), desc(tokens), desc(calls)).limit(limit);
      return rows;
    },
  };
}

function keyOp({ orgId, id }: { readonly orgId: string; readonly id: string }): object {
  return { org: column(orgId), id: column(id) };
}

function chargeOp(charge: Omit<Charge, "holders" | "expiresAt">): object {
  const { amounts, runId, workflow, operationId, identityId } = charge;
  return {
    ...keyOp(charge),
    ...amountsOp(amounts),
    run: runId,
    workflow: workflow === null ? null : column(workflow),
    operation: column(operationId),
    identity: column(identityId),
  };
}

function modelOp(model: string | null | undefined): object {
  return model === undefined || model === null ? {} : { model: column(model) };
}

function amountsOp({ calls, tokens, costMicros }: Partial<Amounts>): object {
  return { calls: calls ?? null, tokens: tokens ?? null, cost: costMicros ?? null };
}

function limitsOp({ calls, tokens, costMicros }: Partial<AmountLimits>): object {
  return { calls: calls ?? null, tokens: tokens ?? null, cost: costMicros ?? null };
}

type Row = typeof budgets.$inferSelect;

function isHolder(orgId: string, { kind, id }: HolderName): SQL | undefined {
  return and(eq(budgets.orgId, column(orgId)), eq(budgets.kind, kind), eq(budgets.id, column(id)));
}

function recordOf(row: Row): BudgetRecord {
  const { kind } = row;
  if (kind === "minute") throw new Error("A limit of a minute is no budget"); // the list leaves them out
  return { kind, id: row.id, ...balanceOf(row), createdAt: row.createdAt };
}

function balanceOf(row: Row): Balance {
  return {
    limits: { calls: row.callsLimit, tokens: row.tokensLimit, costMicros: row.costLimit },
    spent: { calls: row.callsSpent, tokens: row.tokensSpent, costMicros: row.costSpent },
    reserved: { calls: row.callsReserved, tokens: row.tokensReserved, costMicros: row.costReserved },
  };
}

/** Positions are in whole ms, as budgets are shown: those of one ms are told apart by kind and id. */
function cursorOf({ createdAt, kind, id }: BudgetRecord): string {
  return encodeURIComponent(JSON.stringify([createdAt, kind, id]));
}

function after(cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const [createdAt, kind, id] = position(cursor);
  const { createdAt: at } = budgets;
  return sql`(${at}, ${budgets.kind}, ${budgets.id}) < (${sql.param(createdAt, at)}::timestamptz, ${kind}, ${id})`;
}

function position(cursor: string): readonly [number, string, string] {
  try {
    const [createdAt, kind, id]: unknown[] = JSON.parse(decodeURIComponent(cursor));
    if (typeof createdAt === "number" && typeof kind === "string" && typeof id === "string") {
      return [createdAt, kind, id];
    }
  } catch {
    // Told below.
  }
  const message = `Cannot read cursor "${cursor}": expected the nextCursor of an earlier page`;
  throw new CallError("VALIDATION_ERROR", message, { errors: [{ path: "/cursor", message }] });
}
