import type { TSchema } from "@alkdev/typebox";

/** Runtime values of an operation's type. */
export const OperationType = { QUERY: "query", MUTATION: "mutation", SUBSCRIPTION: "subscription" } as const;
/** `"query" | "mutation" | "subscription"`. */
export type OperationType = typeof OperationType[keyof typeof OperationType];

/** What a caller must hold. `requiredScopes` are all needed, of `requiredScopesAny` one. */
export interface AccessControl {
  readonly requiredScopes: readonly string[];
  readonly requiredScopesAny?: readonly string[];
  readonly resourceType?: string;
  readonly resourceAction?: string;
  /** Declared by the published package, enforced nowhere. */
  readonly customAuth?: string;
}

/** One error an operation declares. */
export interface ErrorDefinition {
  readonly code: string;
  readonly description: string;
  readonly schema: unknown;
  readonly httpStatus?: number;
}

/** What can be called. The id of an operation is `namespace + "." + name`. */
export interface OperationSpec {
  readonly name: string;
  readonly namespace: string;
  /** Semantic version. */
  readonly version: string;
  readonly type: OperationType;
  readonly title?: string;
  readonly description: string;
  readonly tags?: readonly string[];
  readonly inputSchema: TSchema;
  readonly outputSchema: TSchema;
  readonly errorSchemas?: readonly ErrorDefinition[];
  readonly accessControl: AccessControl;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** The dotted id of a spec. */
export function operationId(spec: Pick<OperationSpec, "namespace" | "name">): string {
  return `${spec.namespace}.${spec.name}`;
}
