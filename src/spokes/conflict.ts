import { CallError, operationId, type OperationSpec } from "@alkdev/operations";

/** What two providers of one operation must agree on. Texts for people may differ. */
const CONTRACT_FIELDS = ["type", "inputSchema", "outputSchema", "errorSchemas", "accessControl"] as const;

/** The first field in which two specs of the same id and version differ; null when they agree. */
export function conflictingField(left: OperationSpec, right: OperationSpec): string | null {
  for (const field of CONTRACT_FIELDS) {
    if (left[field] !== right[field] && canonical(left[field]) !== canonical(right[field])) return field;
  }
  return null;
}

export function conflictError(spec: OperationSpec, field: string, otherSpoke: string): CallError {
  const id = operationId(spec);
  return new CallError(
    "OPERATION_CONFLICT",
    `Cannot register operation "${id}" version "${spec.version}": its field "${field}" differs from what spoke ` +
      `"${otherSpoke}" offers under the same version: wanted the same, or another version`,
    { operationId: id, version: spec.version, field },
  );
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  }) ?? "";
}
