import type { OperationSpec } from "@alkdev/operations";

/** Every scope that operations ask for. */
export function declaredScopes(specs: readonly OperationSpec[]): ReadonlySet<string> {
  return new Set(specs.flatMap(({ accessControl: { requiredScopes, requiredScopesAny = [] } }) => [
    ...requiredScopes,
    ...requiredScopesAny,
  ]));
}
