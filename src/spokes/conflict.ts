import { CallError, operationId, type OperationSpec } from "@alkdev/operations";
import { isRecord } from "./envelope.ts";

/** What two providers of one operation must agree on. Texts for people may differ. */
const CONTRACT_FIELDS = ["type", "inputSchema", "outputSchema", "errorSchemas", "accessControl"] as const;
const MAX_SHOWN = 120;

/** The first place in which two specs of the same id and version differ. */
export interface Difference {
  readonly field: (typeof CONTRACT_FIELDS)[number];
  /** JSON pointer into the field; "" for all of it. */
  readonly path: string;
  /** As JSON, cut short; "nothing" where it is not there. */
  readonly left: string;
  readonly right: string;
}

/** Null when they agree. */
export function findConflict(left: OperationSpec, right: OperationSpec): Difference | null {
  for (const field of CONTRACT_FIELDS) {
    if (left[field] === right[field]) continue;
    // Schemas carry what JSON does not.
    const found = difference(plain(left[field]), plain(right[field]), "");
    if (found !== null) return { field, ...found };
  }
  return null;
}

export function conflictError(spec: OperationSpec, found: Difference, otherSpoke: string): CallError {
  const id = operationId(spec);
  const { field, path, left, right } = found;
  const place = path === "" ? "it" : `"${path}" in it`;
  return new CallError(
    "OPERATION_CONFLICT",
    `Cannot register operation "${id}" version "${spec.version}": its field "${field}" differs from what spoke ` +
      `"${otherSpoke}" offers under the same version: ${place} is ${left} here, ${right} there. Wanted the same, or ` +
      `another version`,
    { operationId: id, version: spec.version, field, path, here: left, there: right, spoke: otherSpoke },
  );
}

function difference(left: unknown, right: unknown, path: string): Omit<Difference, "field"> | null {
  if (Array.isArray(left) && Array.isArray(right)) {
    for (let index = 0; index < Math.max(left.length, right.length); index++) {
      const found = difference(left[index], right[index], `${path}/${index}`);
      if (found !== null) return found;
    }
    return null;
  }
  if (isRecord(left) && isRecord(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const step = key.replaceAll("~", "~0").replaceAll("/", "~1");
      const found = difference(left[key], right[key], `${path}/${step}`);
      if (found !== null) return found;
    }
    return null;
  }
  return left === right ? null : { path, left: show(left), right: show(right) };
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
