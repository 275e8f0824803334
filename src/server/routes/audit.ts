import { type TObject, Type } from "@alkdev/typebox";
import type { Page } from "../../runs/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Cursor, instant, Limit, Name } from "../schemas/parameters.ts";

/** One thing that somebody did, or was refused. `at` is ms since the epoch. */
export interface AuditRecord {
  readonly id: string;
  readonly action: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** The audit log of one organization. */
export interface AuditPort {
  list(
    query: {
      readonly orgId: string;
      readonly action?: string;
      readonly ownerId?: string;
      readonly keyId?: string;
      readonly since?: number;
      readonly until?: number;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<Page<AuditRecord>>;
}

const AuditSchema: TObject = Type.Object({
  id: Type.String(),
  action: Type.String({ description: "`key.created`, a route's name such as `setLimit`, or `request.refused`" }),
  ownerId: Type.String({ description: "Account that did it; `anonymous`: nobody known" }),
  keyId: nullable(Type.String()),
  details: Type.Record(Type.String(), Type.Unknown()),
  at: Type.Integer({ description: "Ms since the epoch" }),
}, { $id: "AuditEntry" });

/** `GET /api/audit` */
export function auditRoute(audit: AuditPort): Route {
  return defineRoute({
    tag: "audit",
    method: "GET",
    path: "/api/audit",
    name: "listAudit",
    summary: "Administrative acts and refusals, newest first",
    scope: "audit:read",
    query: Type.Object({
      action: Type.Optional(Name),
      owner: Type.Optional(Name),
      key: Type.Optional(Name),
      since: Type.Optional(instant(", inclusive")),
      until: Type.Optional(instant(", exclusive")),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "A page of entries", schema: pageOf(AuditSchema) } },
    async handle({ caller: { orgId }, query: { owner, key, ...rest } }) {
      const { items, nextCursor } = await audit.list({
        ...rest,
        orgId,
        ...(owner !== undefined && { ownerId: owner }),
        ...(key !== undefined && { keyId: key }),
      });
      const shown = items.map(({ id, action, ownerId, keyId, details, at }) => ({
        id,
        action,
        ownerId,
        keyId,
        details,
        at,
      }));
      return ok({ items: shown, nextCursor });
    },
  });
}
