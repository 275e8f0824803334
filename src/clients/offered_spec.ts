import { CallError, FromSchema, type OperationSpec } from "@alkdev/operations";
import type { CallSettings } from "./client_config.ts";

const MAX_OPERATIONS = 2_000;
const MAX_DESCRIPTION = 8_192;

/** The name under which a server's operation is offered: what templates, URLs and tools can hold. */
export function offeredName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 128);
  return /^[A-Za-z]/.test(safe) ? safe : `_${safe}`.slice(0, 128);
}

/** Operations by the names under which they are offered: the first of a name has it. @throws {CallError} when there are too many */
export function byOfferedName<T extends { readonly name: string }>(
  client: string,
  operations: readonly T[],
): Map<string, T> {
  if (operations.length > MAX_OPERATIONS) {
    throw new CallError(
      "VALIDATION_ERROR",
      `Client "${client}" offers ${operations.length} operations: wanted at most ${MAX_OPERATIONS}`,
    );
  }
  const found = new Map<string, T>();
  for (const operation of operations) {
    const name = offeredName(operation.name);
    if (!found.has(name)) found.set(name, operation);
  }
  return found;
}

/** A server's operation as an operation of the organization. */
export function offeredSpec(
  spec: OperationSpec,
  params: { readonly name: string; readonly client: string; readonly settings: CallSettings },
): OperationSpec {
  const { version, type, title, description, tags, inputSchema, outputSchema, _meta } = spec;
  return {
    name: params.name,
    namespace: params.client,
    version,
    type,
    ...(title !== undefined && { title: title.slice(0, 256) }),
    description: description.slice(0, MAX_DESCRIPTION),
    ...(tags !== undefined && { tags }),
    inputSchema,
    outputSchema,
    accessControl: { requiredScopes: params.settings.requiredScopes ?? [] },
    _meta: { ..._meta, client: params.client },
  };
}

/** Specs as a catalog holds them, in an order of their own: the same list is the same text. */
export function writeSpecs(specs: readonly OperationSpec[]): string {
  return JSON.stringify(specs.toSorted((a, b) => a.name < b.name ? -1 : 1));
}

/** What {@linkcode writeSpecs} wrote; what cannot be read any more is left out. */
export function readSpecs(content: string): readonly OperationSpec[] {
  // Written by a hub, from specs.
  const specs = JSON.parse(content) as readonly OperationSpec[];
  return specs.flatMap((spec) => {
    try {
      return [{
        ...spec,
        inputSchema: FromSchema(spec.inputSchema),
        outputSchema: FromSchema(spec.outputSchema),
      }];
    } catch {
      return [];
    }
  });
}
