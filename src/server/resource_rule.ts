import { CallError, hasScope, hasScopeFor, hasScopeForSome, unpinnedId } from "@alkdev/operations";
import type { Principal } from "../auth/mod.ts";
import type { Caller, Runs } from "../runs/mod.ts";
import type { ScopeRule } from "./route.ts";

/** What a scope that is narrowed to some resources is compared with on a route. */
type Resource = { readonly by: "param" | "operation"; readonly param: string } | {
  readonly by: "run" | "call" | "handler";
};

/** Routes about one thing, by the path that leads to it; all below it is about the same thing. */
const BY_PATH: readonly (readonly [string, Resource])[] = [
  ["/api/workflows/:name", { by: "param", param: "name" }],
  ["/api/operations/:id", { by: "operation", param: "id" }],
  ["/api/runs/:id", { by: "run" }],
  ["/api/calls/:requestId", { by: "call" }],
];
/** Lists whose handlers leave out what the caller may not see. */
const LISTS: ReadonlySet<string> = new Set(["/api/workflows", "/api/operations", "/api/runs"]);

function resourceOf({ method, path }: RuledRoute): Resource | null {
  const found = BY_PATH.find(([start]) => path === start || path.startsWith(`${start}/`));
  if (found !== undefined) return found[1];
  return method === "GET" && LISTS.has(path) ? { by: "handler" } : null;
}

/** What a rule is made of. */
export interface RuledRoute {
  readonly method: string;
  readonly path: string;
  readonly scope: ScopeRule;
}

/** Resolves when the principal may use the route for what its path names. @throws {CallError} `ACCESS_DENIED`, `RUN_NOT_FOUND` */
export type AccessRule = (
  principal: Principal,
  params: Readonly<Record<string, string>>,
) => void | Promise<void>;

/**
 * The one rule of who may use a route. A scope that holds for everything opens it at once. One that is narrowed to some
 * workflows or operations opens routes about one of these, and lists, and no others: a route of a new kind is closed to it.
 */
export function createAccessRule(route: RuledRoute, runs: Pick<Runs, "get" | "call">): AccessRule {
  const scopes = route.scope === null ? [] : [route.scope].flat();
  const resource = resourceOf(route);
  const what = `${route.method} ${route.path}`;
  return (principal, params) => {
    const held = principal.identity.scopes;
    for (const scope of scopes) {
      if (hasScope(held, scope)) return;
    }
    if (resource === null || !scopes.some((scope) => hasScopeForSome(held, scope))) throw denied(what, scopes);
    if (resource.by === "handler") return;
    if (resource.by === "param" || resource.by === "operation") {
      const given = params[resource.param] ?? "";
      // A version of an operation is that operation.
      const name = resource.by === "operation" ? unpinnedId(given) : given;
      if (!scopes.some((scope) => hasScopeFor(held, scope, name))) throw denied(what, scopes, name);
      return;
    }
    return assertRun(principal, { scopes, runs, params, isCall: resource.by === "call" });
  };
}

/** A run of a workflow that the scopes do not name does not exist, as what another organization has does not. */
async function assertRun(
  { identity, orgId }: Principal,
  { scopes, runs, params, isCall }: {
    readonly scopes: readonly string[];
    readonly runs: Pick<Runs, "get" | "call">;
    readonly params: Readonly<Record<string, string>>;
    readonly isCall: boolean;
  },
): Promise<void> {
  const caller: Caller = { identity, orgId };
  const { requestId = "" } = params;
  const runId = isCall ? (await runs.call({ caller, requestId })).runId : params["id"] ?? "";
  const { workflow } = await runs.get({ caller, runId });
  if (scopes.some((scope) => hasScopeFor(identity.scopes, scope, workflow))) return;
  if (isCall) throw new CallError("CALL_NOT_FOUND", `There is no call "${requestId}"`, { requestId });
  throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
}

function denied(what: string, scopes: readonly string[], name?: string): CallError {
  const wanted = scopes.map((scope) => `"${name === undefined ? scope : `${scope}:${name}`}"`).join(" or ");
  return new CallError("ACCESS_DENIED", `Cannot ${what} with this API key: wanted scope ${wanted}`, {
    requiredScopes: scopes,
  });
}
