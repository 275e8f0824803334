import { CallError, hasScope } from "@alkdev/operations";

/**
 * Whether these scopes let a model be called by this name. Scopes `model:<name>` and `model:<prefix>*` narrow who has them to
 * these models; who has none may call all that `inference:call` opens.
 */
export function mayCallModel(scopes: readonly string[], model: string): boolean {
  return hasScope(scopes, `model:${model}`) || !scopes.some((scope) => scope.startsWith("model:"));
}

/** @throws {CallError} ACCESS_DENIED */
export function assertMayCall(scopes: readonly string[], model: string): void {
  if (mayCallModel(scopes, model)) return;
  const name = model.slice(0, 200);
  throw new CallError("ACCESS_DENIED", `Cannot call model "${name}" with this key: wanted scope "model:${name}"`, {
    requiredScopes: [`model:${name}`],
  });
}
