import { type TUnsafe, Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { Page } from "../../runs/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { AmountLimitsSchema, BudgetRecordSchema, UsageRowSchema } from "../schemas/budgets.ts";
import { pageOf } from "../schemas/nullable.ts";
import { Cursor, instant, Limit, Name } from "../schemas/parameters.ts";

type Amounts = { readonly [Kind in "calls" | "tokens" | "costMicros"]: number };
type Limits = { readonly [Kind in keyof Amounts]: number | null };
const GROUPS = ["workflow", "operation", "run", "key", "model"] as const;
type UsageGroup = (typeof GROUPS)[number];
type Kind = "run" | "key" | "org" | "session";
interface Balance {
  readonly limits: Limits;
  readonly spent: Amounts;
  readonly reserved: Amounts;
}
interface Holder {
  readonly kind: Kind;
  readonly id: string;
}

/** Budgets as the edge shows them; every method is bound to one organization. */
export interface BudgetsPort {
  balance(params: Holder & { readonly orgId: string }): Promise<Balance | null>;
  setLimits(params: Holder & { readonly orgId: string; readonly limits: Partial<Limits> }): Promise<Balance>;
  list(
    params: { readonly orgId: string; readonly kind?: Kind; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<Holder & Balance & { readonly createdAt: number }>>;
  usage(
    params: {
      readonly orgId: string;
      readonly by: UsageGroup;
      readonly since: number;
      readonly until?: number;
      readonly limit: number;
    },
  ): Promise<readonly (Amounts & { readonly group: string | null })[]>;
}

const head = { tag: "budgets" } as const;
const kind = Type.Union([Type.Literal("run"), Type.Literal("key"), Type.Literal("org"), Type.Literal("session")]);
const KindSchema: TUnsafe<Kind> = Type.Unsafe<Kind>(kind);
const HolderParams = Type.Object({ kind: KindSchema, id: Name });
const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

/** `/api/budgets` and `/api/usage`. */
export function budgetRoutes(budgets: BudgetsPort): readonly Route[] {
  return [listRoute(budgets), getRoute(budgets), setRoute(budgets), usageRoute(budgets)];
}

function listRoute(budgets: BudgetsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/budgets",
    name: "listBudgets",
    summary: "Budgets that something was charged to or that were set, newest first",
    scope: "budget:read",
    query: Type.Object({ kind: Type.Optional(KindSchema), limit: Limit, cursor: Cursor }),
    responses: { 200: { description: "A page of budgets", schema: pageOf(BudgetRecordSchema) } },
    async handle({ caller, query }) {
      return ok(await budgets.list({ orgId: caller.orgId, ...query }));
    },
  });
}

function getRoute(budgets: BudgetsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/budgets/:kind/:id",
    name: "getBudget",
    summary: "A budget: its limits, what is spent and what is reserved",
    scope: "budget:read",
    params: HolderParams,
    responses: { 200: { description: "The budget", schema: BudgetRecordSchema } },
    async handle({ caller, params }) {
      const balance = await budgets.balance({ orgId: caller.orgId, ...params });
      if (balance === null) throw notFound(params);
      return ok({ ...params, ...balance });
    },
  });
}

function setRoute(budgets: BudgetsPort): Route {
  return defineRoute({
    ...head,
    method: "PUT",
    path: "/api/budgets/:kind/:id",
    name: "setBudget",
    summary: "Set a budget's limits, which hold from then on; a kind that is left out is not limited",
    scope: "budget:write",
    params: HolderParams,
    body: AmountLimitsSchema,
    responses: { 200: { description: "The budget", schema: BudgetRecordSchema } },
    async handle({ caller: { orgId }, params, body }) {
      // A run has a budget from its start, or none: another one would hold for a part of it.
      if (params.kind === "run" && await budgets.balance({ orgId, ...params }) === null) throw notFound(params);
      return ok({ ...params, ...await budgets.setLimits({ orgId, ...params, limits: body }) });
    },
  });
}

function usageRoute(budgets: BudgetsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/usage",
    name: "getUsage",
    summary: "What was used: calls with a budget or a usage of their own, summed by group, the costliest first",
    scope: "budget:read",
    query: Type.Object({
      by: Type.Unsafe<UsageGroup>(
        Type.Union(GROUPS.map((group) => Type.Literal(group)), {
          default: "workflow",
          description: "`key`: the identity that a key stands for; `model`: what was asked, as provider/model",
        }),
      ),
      since: Type.Optional(instant(`; default: ${DEFAULT_DAYS} days ago`)),
      until: Type.Optional(instant(", exclusive")),
      limit: Limit,
    }),
    responses: { 200: { description: "One row a group", schema: pageOf(UsageRowSchema) } },
    async handle({ caller: { orgId }, query }) {
      const { since = Date.now() - DEFAULT_DAYS * DAY_MS, ...rest } = query;
      return ok({ items: await budgets.usage({ orgId, since, ...rest }), nextCursor: null });
    },
  });
}

function notFound({ kind, id }: Holder): CallError {
  return new CallError("BUDGET_NOT_FOUND", `There is no budget of ${kind} "${id}"`, { kind, id });
}
