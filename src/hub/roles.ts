import { type ApiKeyManager, isExpired } from "@alkdev/keypal";
import type { Clock } from "../../engine/mod.ts";
import type { Auth } from "../auth/mod.ts";
import { callerOf } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { PromptText } from "../mcp/mod.ts";
import { Members, roleOperations, Roles } from "../roles/mod.ts";
import type { Caller } from "../runs/mod.ts";
import { accountRoutes, roleRoutes, type Route } from "../server/mod.ts";
import { type AuditLogStore, createMemberStore, createRoleStore, type Database } from "../storage/mod.ts";
import { declaredScopes } from "./declared_scopes.ts";
import type { HubOperations } from "./operations.ts";

/** Prompts that one client is told of. */
const MAX_PROMPTS = 200;

/** Roles and accounts, for other rooms too. */
export interface HubRoles {
  readonly roles: Roles;
  readonly routes: readonly Route[];
  /** Whether an organization takes nothing from an account now. */
  readonly isSuspended: (params: { readonly orgId: string; readonly accountId: string }) => Promise<boolean>;
  /** Roles as prompts of MCP clients, for callers who may see roles. */
  readonly prompts: { list(caller: Caller): Promise<readonly PromptText[]> };
}

/** Roles and accounts, with their operations and routes. */
export function openRoles(
  { db, clock, keys, auth, audit, operations }: {
    readonly db: Database;
    readonly clock: Clock;
    readonly keys: ApiKeyManager;
    readonly auth: Pick<Auth, "invalidate">;
    readonly audit: Pick<AuditLogStore, "append">;
    readonly operations: Pick<HubOperations, "registry" | "dispatcher">;
  },
): HubRoles {
  const { registry, dispatcher } = operations;
  const roles = new Roles({
    store: createRoleStore(db),
    now: clock.now,
    declaredScopes: (orgId) => declaredScopes(dispatcher.list(orgId)),
  });
  const keysOf = async ({ orgId, accountId }: { readonly orgId: string; readonly accountId: string }) =>
    (await keys.listByOrg(orgId)).filter(({ metadata }) => metadata.ownerId === accountId);
  const memberStore = createMemberStore(db);
  const members = new Members({
    store: memberStore,
    now: clock.now,
    async scopesOf(params) {
      const live = (await keysOf(params)).filter(({ metadata }) =>
        !metadata.revokedAt && metadata.enabled !== false && !isExpired(metadata.expiresAt ?? null)
      );
      return [...new Set(live.flatMap(({ metadata }) => metadata.scopes ?? []))];
    },
    async changed(params) {
      for (const { id } of await keysOf(params)) auth.invalidate(id);
    },
  });
  registry.registerAll([...roleOperations({
    roles,
    members,
    callerOf,
    async acted({ caller: { orgId, identity }, action, details }) {
      try {
        await audit.append({ action, orgId, ownerId: identity.id, keyId: null, details });
      } catch (error) {
        hubLogger("audit").error("{action} could not be written to the audit log: {error}", {
          action,
          error: String(error),
        });
      }
    },
  })]);
  return {
    roles,
    routes: [...roleRoutes(roles), ...accountRoutes(members)],
    isSuspended: async (params) => (await memberStore.get(params))?.status === "suspended",
    prompts: {
      async list(caller) {
        const { items } = await roles.list({ caller, limit: MAX_PROMPTS });
        return items.filter(({ systemPrompt }) => systemPrompt !== "")
          .map(({ name, title, description, systemPrompt }) => ({ name, title, description, text: systemPrompt }));
      },
    },
  };
}
