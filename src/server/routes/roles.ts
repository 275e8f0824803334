import { Type } from "@alkdev/typebox";
import { AccountId, type Members, MemberSchema, memberView, NewRoleSchema, type Roles } from "../../roles/mod.ts";
import { roleView, RoleViewSchema } from "../../roles/mod.ts";
import { ok, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { pageOf } from "../schemas/nullable.ts";
import { Cursor, IdParams, Limit, Name, NameParams, PageQuery } from "../schemas/parameters.ts";

const head = { tag: "roles" } as const;
const strict = { additionalProperties: false } as const;

/** `/api/roles`. */
export function roleRoutes(roles: Roles): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/roles",
      name: "listRoles",
      summary: "Roles by name, each in its latest version",
      scope: "role:read",
      query: Type.Object({ archived: Type.Optional(Type.Boolean()), limit: Limit, cursor: Cursor }),
      responses: { 200: { description: "A page of roles", schema: pageOf(RoleViewSchema) } },
      async handle({ caller, query }) {
        const { items, nextCursor } = await roles.list({ caller, ...query });
        return ok({ items: items.map(roleView), nextCursor });
      },
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/roles/:name",
      name: "getRole",
      summary: "A role, or with name@version a version of it",
      scope: "role:read",
      params: NameParams,
      responses: { 200: { description: "The role", schema: RoleViewSchema } },
      handle: async ({ caller, params }) => ok(roleView(await roles.get({ caller, ref: params.name }))),
    }),
    defineRoute({
      ...head,
      method: "GET",
      path: "/api/roles/:name/versions",
      name: "listRoleVersions",
      summary: "All versions of a role, newest first",
      scope: "role:read",
      params: NameParams,
      query: PageQuery,
      responses: { 200: { description: "A page of versions", schema: pageOf(RoleViewSchema) } },
      async handle({ caller, params, query }) {
        const { items, nextCursor } = await roles.versions({ caller, name: params.name, ...query });
        return ok({ items: items.map(roleView), nextCursor });
      },
    }),
    ...changingRoutes(roles),
  ];
}

function changingRoutes(roles: Roles): readonly Route[] {
  return [
    defineRoute({
      ...head,
      method: "PUT",
      path: "/api/roles/:name",
      name: "putRole",
      summary: "Make a role, or write a new version of one, that allows no more than one's own key",
      scope: "role:write",
      params: NameParams,
      query: Type.Object({
        after: Type.Optional(Type.Integer({
          minimum: 0,
          maximum: 1_000_000_000,
          description: "The version that it is meant to follow, 0 for a new role; another one is refused",
        })),
      }),
      body: NewRoleSchema,
      responses: {
        200: { description: "The latest version says the same already", schema: RoleViewSchema },
        201: { description: "The new version", schema: RoleViewSchema },
      },
      async handle({ caller, params, query, body }) {
        const { role, isNew } = await roles.put({ caller, name: params.name, role: body, ...query });
        return isNew ? reply(201, roleView(role)) : ok(roleView(role));
      },
    }),
    defineRoute({
      ...head,
      method: "POST",
      path: "/api/roles/:name/archive",
      name: "archiveRole",
      summary: "Take a role from new sessions; a new version takes it out of the archive",
      scope: "role:write",
      params: NameParams,
      responses: { 200: { description: "The archived role", schema: RoleViewSchema } },
      handle: async ({ caller, params }) => ok(roleView(await roles.archive({ caller, name: params.name }))),
    }),
  ];
}

/** `/api/accounts`: the accounts of the caller's own organization. */
export function accountRoutes(members: Members): readonly Route[] {
  const account = { tag: "accounts", params: IdParams } as const;
  const change = (verb: "suspend" | "resume", summary: string): Route =>
    defineRoute({
      ...account,
      method: "POST",
      path: `/api/accounts/:id/${verb}`,
      name: `${verb}Account`,
      summary,
      scope: "account:write",
      responses: { 200: { description: "The account", schema: MemberSchema } },
      handle: async ({ caller, params }) => ok(memberView(await members[verb]({ caller, accountId: params.id }))),
    });
  return [
    defineRoute({
      tag: "accounts",
      method: "GET",
      path: "/api/accounts",
      name: "listAccounts",
      summary: "Accounts of the organization by id",
      scope: "account:read",
      query: PageQuery,
      responses: { 200: { description: "A page of accounts", schema: pageOf(MemberSchema) } },
      async handle({ caller, query }) {
        const { items, nextCursor } = await members.list({ caller, ...query });
        return ok({ items: items.map(memberView), nextCursor });
      },
    }),
    defineRoute({
      tag: "accounts",
      method: "POST",
      path: "/api/accounts",
      name: "createAccount",
      summary: "Make a service account; it can do nothing until it is given a key",
      scope: "account:write",
      body: Type.Object({ id: AccountId, displayName: Type.Optional(Name) }, strict),
      responses: { 201: { description: "The account", schema: MemberSchema } },
      async handle({ caller, body: { id, displayName } }) {
        const asked = { caller, accountId: id, ...(displayName !== undefined && { displayName }) };
        return reply(201, memberView(await members.create(asked)));
      },
    }),
    defineRoute({
      ...account,
      method: "GET",
      path: "/api/accounts/:id",
      name: "getAccount",
      summary: "An account of the organization",
      scope: "account:read",
      responses: { 200: { description: "The account", schema: MemberSchema } },
      handle: async ({ caller, params }) => ok(memberView(await members.get({ caller, accountId: params.id }))),
    }),
    change("suspend", "Take none of an account's keys until it is resumed"),
    change("resume", "Take an account's keys again"),
  ];
}
