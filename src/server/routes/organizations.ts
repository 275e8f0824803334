import { type TObject, Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { IssuedKey } from "../../auth/mod.ts";
import type { Caller } from "../../runs/mod.ts";
import { paginate } from "../paginate.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { IssuedKeySchema } from "../schemas/catalog.ts";
import { pageOf } from "../schemas/nullable.ts";
import { IdParams, Name, PageQuery } from "../schemas/parameters.ts";

/** A tenant. Times are ms since the epoch. */
export interface OrganizationView {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

/** An account that has keys in an organization. */
export interface MemberView {
  readonly accountId: string;
  /** Keys that are neither revoked nor expired. */
  readonly keys: number;
}

/** Organizations of the whole hub. */
export interface OrganizationsPort {
  list(): Promise<readonly OrganizationView[]>;
  /** With the organization's first key, which may do everything in it. @throws {CallError} `ORGANIZATION_EXISTS` */
  create(
    params: { readonly id: string; readonly name: string; readonly ownerId: string },
  ): Promise<{ readonly organization: OrganizationView; readonly key: IssuedKey }>;
  /** Null: there is no such organization. */
  members(id: string): Promise<readonly MemberView[] | null>;
}

const OrganizationSchema: TObject = Type.Object({
  id: Type.String(),
  name: Type.String(),
  ownerId: Type.String(),
  createdAt: Type.Integer({ description: "Ms since the epoch" }),
}, { $id: "Organization" });
const head = { tag: "organizations", scope: "org:admin" } as const;

/** `/api/organizations`: for keys of the hub's own organization only, whatever scopes those of others have. */
export function organizationRoutes(organizations: OrganizationsPort, hubOrgId: string): readonly Route[] {
  const assertOfHub = ({ orgId }: Caller): void => {
    if (orgId === hubOrgId) return;
    const message = `Cannot administer organizations with this API key: wanted one of organization "${hubOrgId}"`;
    throw new CallError("ACCESS_DENIED", message, { requiredScopes: ["org:admin"] });
  };
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/organizations",
      name: "listOrganizations",
      summary: "Organizations by id",
      query: PageQuery,
      responses: { 200: { description: "A page of organizations", schema: pageOf(OrganizationSchema) } },
      async handle({ caller, query }) {
        assertOfHub(caller);
        return ok(paginate(await organizations.list(), ({ id }) => id, query));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/organizations",
      name: "createOrganization",
      summary: "Make an organization with its first key, which may do everything in it",
      body: Type.Object({
        id: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" }),
        name: Type.Optional(Name),
        ownerId: Type.Optional(Name),
      }, { additionalProperties: false }),
      responses: {
        201: {
          description: "The organization and its key: shown this once",
          schema: Type.Object({ organization: OrganizationSchema, key: IssuedKeySchema }),
        },
      },
      async handle({ caller, body: { id, name = id, ownerId = caller.identity.id } }) {
        assertOfHub(caller);
        return reply(201, await organizations.create({ id, name, ownerId }));
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/organizations/:id/members",
      name: "listMembers",
      summary: "Accounts that have keys in an organization",
      params: IdParams,
      responses: {
        200: {
          description: "Accounts by id",
          schema: pageOf(Type.Object({ accountId: Type.String(), keys: Type.Integer() })),
        },
      },
      async handle({ caller, params }) {
        assertOfHub(caller);
        const items = await organizations.members(params.id);
        if (items === null) throw new CallError("ORGANIZATION_NOT_FOUND", `There is no organization "${params.id}"`);
        return ok({ items, nextCursor: null });
      },
    }),
  ];
}
