import { defineOperation, type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type TObject, type TString, Type } from "@alkdev/typebox";
import type { Caller } from "../runs/mod.ts";
import type { Members } from "./members.ts";
import { NewRoleSchema, RoleDefinitionSchema, RoleName } from "./role.ts";
import { memberView, roleView } from "./role_view.ts";
import type { Roles } from "./roles.ts";

/** What the operations work with. */
export interface RoleOperationsOptions {
  readonly roles: Roles;
  readonly members: Members;
  /** On whose behalf a call is made. */
  readonly callerOf: (context: OperationContext) => Caller;
  /** Writes down who did what; must not throw. */
  readonly acted: (
    act: { readonly caller: Caller; readonly action: string; readonly details: Readonly<Record<string, unknown>> },
  ) => Promise<void>;
}

const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 200 }));
const Cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 256 }));
const NextCursor = Type.Union([Type.String(), Type.Null()]);
const closed = { additionalProperties: false } as const;
const Ref = Type.String({ minLength: 1, maxLength: 80, description: "name, or name@version" });

/** Ids of accounts that can be made: as mail addresses and names of programs are written. */
export const AccountId: TString = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,126}$" });

/** A role as it is answered. */
export const RoleViewSchema: TObject = Type.Object({
  id: Type.String(),
  name: Type.String(),
  version: Type.Integer(),
  ...RoleDefinitionSchema.properties,
  builtIn: Type.Boolean({ description: "This version came with the hub" }),
  createdBy: Type.String(),
  createdAt: Type.Integer({ description: "Ms since the epoch" }),
  archivedAt: Type.Union([Type.Integer(), Type.Null()], { description: "Null: new sessions can have it" }),
}, { $id: "Role" });

/** An account as it is answered. */
export const MemberSchema: TObject = Type.Object({
  accountId: Type.String(),
  displayName: Type.String(),
  kind: Type.Union([Type.Literal("admin"), Type.Literal("user"), Type.Literal("service")]),
  level: Type.Union([Type.Literal("owner"), Type.Literal("admin"), Type.Literal("member")]),
  status: Type.Union([Type.Literal("active"), Type.Literal("suspended")]),
  keys: Type.Integer({ description: "Keys that are neither revoked nor expired" }),
  createdAt: Type.Integer({ description: "Ms since the epoch" }),
}, { $id: "Account" });

const base = { namespace: "hub", version: "1.0.0", tags: ["roles"] } as const;
const scopes = (...requiredScopes: readonly string[]) => ({ accessControl: { requiredScopes } });

/** `hub.createRole`, `.listRoles`, `.getRole`, `.archiveRole`, and `hub.createAccount`, `.listAccounts`. */
export function roleOperations(options: RoleOperationsOptions): readonly OperationRegistration[] {
  return [...ofRoles(options), ...ofAccounts(options)];
}

function ofRoles({ roles, callerOf, acted }: RoleOperationsOptions): readonly OperationRegistration[] {
  return [
    defineOperation({
      ...base,
      ...scopes("role:write"),
      name: "createRole",
      type: OperationType.MUTATION,
      title: "Make a role, or a new version of one",
      description: "Writes a role that sessions can be given. It may allow no more than its maker may do.",
      inputSchema: Type.Object({
        name: RoleName,
        role: NewRoleSchema,
        after: Type.Optional(Type.Integer({
          minimum: 0,
          description: "The version that it is meant to follow, 0 for a new role; another one is refused",
        })),
      }, closed),
      outputSchema: Type.Object({ role: RoleViewSchema, isNew: Type.Boolean() }),
      async handler(input, context) {
        const caller = callerOf(context);
        const { role, isNew } = await roles.put({ caller, ...input });
        if (isNew) {
          await acted({ caller, action: "role.created", details: { name: role.name, version: role.version } });
        }
        return { role: roleView(role), isNew };
      },
    }),
    defineOperation({
      ...base,
      ...scopes("role:read"),
      name: "listRoles",
      type: OperationType.QUERY,
      title: "List roles",
      description: "Roles of the organization by name, each in its latest version.",
      inputSchema: Type.Object({ archived: Type.Optional(Type.Boolean()), limit: Limit, cursor: Cursor }, closed),
      outputSchema: Type.Object({ items: Type.Array(RoleViewSchema), nextCursor: NextCursor }),
      async handler({ limit = 50, ...filter }, context) {
        const page = await roles.list({ caller: callerOf(context), limit, ...filter });
        return { items: page.items.map(roleView), nextCursor: page.nextCursor };
      },
    }),
    defineOperation({
      ...base,
      ...scopes("role:read"),
      name: "getRole",
      type: OperationType.QUERY,
      title: "Show a role",
      description: "A role by name, or a version of it by name@version.",
      inputSchema: Type.Object({ role: Ref }, closed),
      outputSchema: RoleViewSchema,
      handler: async ({ role: ref }, context) => roleView(await roles.get({ caller: callerOf(context), ref })),
    }),
    defineOperation({
      ...base,
      ...scopes("role:write"),
      name: "archiveRole",
      type: OperationType.MUTATION,
      title: "Archive a role",
      description: "Takes a role from new sessions. Its versions stay, and a new version takes it out again.",
      inputSchema: Type.Object({ name: RoleName }, closed),
      outputSchema: RoleViewSchema,
      async handler({ name }, context) {
        const caller = callerOf(context);
        const role = await roles.archive({ caller, name });
        await acted({ caller, action: "role.archived", details: { name } });
        return roleView(role);
      },
    }),
  ];
}

function ofAccounts({ members, callerOf, acted }: RoleOperationsOptions): readonly OperationRegistration[] {
  return [
    defineOperation({
      ...base,
      ...scopes("account:write"),
      name: "createAccount",
      type: OperationType.MUTATION,
      title: "Make a service account",
      description: "Makes an account for a program or a session. It can do nothing until it is given a key.",
      inputSchema: Type.Object({
        accountId: AccountId,
        displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      }, closed),
      outputSchema: MemberSchema,
      async handler(input, context) {
        const caller = callerOf(context);
        const member = await members.create({ caller, ...input });
        await acted({ caller, action: "account.created", details: { accountId: member.accountId } });
        return memberView(member);
      },
    }),
    defineOperation({
      ...base,
      ...scopes("account:read"),
      name: "listAccounts",
      type: OperationType.QUERY,
      title: "List accounts",
      description: "Accounts of the organization by id.",
      inputSchema: Type.Object({ limit: Limit, cursor: Cursor }, closed),
      outputSchema: Type.Object({ items: Type.Array(MemberSchema), nextCursor: NextCursor }),
      async handler({ limit = 50, cursor }, context) {
        const page = await members.list({
          caller: callerOf(context),
          limit,
          ...(cursor !== undefined && { cursor }),
        });
        return { items: page.items.map(memberView), nextCursor: page.nextCursor };
      },
    }),
  ];
}
