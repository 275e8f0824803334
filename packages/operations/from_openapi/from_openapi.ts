import { SchemaReader } from "../from_schema.ts";
import type { IOperationDefinition } from "../operation_context.ts";
import { OperationType } from "../operation_spec.ts";
import { httpHandler, httpSubscription } from "./http_call.ts";
import type { OpenAPIConfig } from "./openapi_config.ts";
import { type DocumentOperation, OpenAPIDocument } from "./openapi_document.ts";
import { readOperation } from "./read_operation.ts";

/**
 * An operation for every method of every path of an OpenAPI 3 document. GET becomes a query, every other method a mutation,
 * and what answers `text/event-stream` a subscription. The name is the `operationId` (its dots as `_`), or
 * `method_path_parts`; the input has the parameters by name, and the body as `body`. Answers are http envelopes; one that is
 * no success is thrown as `EXECUTION_ERROR`, with `details: { statusCode, body }`.
 *
 * Only references within the document are followed. A schema that cannot be read accepts everything, and `config.warn` is
 * told.
 *
 * @throws {CallError} `VALIDATION_ERROR` when the document is not one of OpenAPI 3
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { OperationRegistry } from "@alkdev/operations";
 * import { FromOpenAPI } from "@alkdev/operations/from-openapi";
 *
 * const document = { openapi: "3.1.0", paths: { "/pets": { get: { operationId: "list" } } } };
 * const registry = new OperationRegistry();
 * registry.registerAll(FromOpenAPI(document, {
 *   namespace: "pets",
 *   baseUrl: "https://pets.example",
 *   fetch: () => Promise.resolve(Response.json(["Rex"])), // without it: the real one
 * }));
 * assert.deepEqual((await registry.execute("pets.list", {})).data, ["Rex"]);
 * ```
 */
export function FromOpenAPI(spec: unknown, config: OpenAPIConfig): IOperationDefinition[] {
  const document = new OpenAPIDocument(spec);
  const warn = config.warn ?? (() => {});
  const context = { document, schemas: new SchemaReader(document.root), warn };
  const names = new Set<string>();
  return Array.from(document.operations(), (found) => {
    const read = readOperation(found, context);
    const wanted = operationName(found);
    const name = names.has(wanted) ? freeName(wanted, names) : wanted;
    if (name !== wanted) {
      warn(`Operation "${wanted}" stands twice in the document: the one at ${found.place} is "${name}"`);
    }
    names.add(name);
    const call = { ...read, method: found.method.toUpperCase(), path: found.path };
    const { title, description, tags } = describe(found);
    return {
      name,
      namespace: config.namespace,
      version: document.version,
      type: read.streams
        ? OperationType.SUBSCRIPTION
        : found.method === "get"
        ? OperationType.QUERY
        : OperationType.MUTATION,
      ...(title !== undefined && { title }),
      description,
      ...(tags.length > 0 && { tags }),
      inputSchema: read.inputSchema,
      outputSchema: read.outputSchema,
      accessControl: config.accessControl ?? { requiredScopes: [] },
      _meta: { method: call.method, path: found.path, ...(title !== undefined && { summary: title }) },
      handler: read.streams ? httpSubscription(call, config) : httpHandler(call, config),
    };
  });
}

function operationName({ method, path, operation }: DocumentOperation): string {
  const { operationId } = operation;
  // A dot would split the id of an operation in two ways.
  if (typeof operationId === "string" && operationId !== "") return operationId.replaceAll(".", "_");
  return [method, ...path.split(/[^\p{L}\p{N}]+/u)].filter((part) => part !== "").join("_");
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  for (let count = 2;; count++) {
    if (!names.has(`${wanted}_${count}`)) return `${wanted}_${count}`;
  }
}

function describe({ method, path, operation }: DocumentOperation) {
  const { summary, description, tags } = operation;
  const title = typeof summary === "string" && summary !== "" ? summary : undefined;
  return {
    title,
    description: typeof description === "string" && description !== ""
      ? description
      : title ?? `${method.toUpperCase()} ${path}`,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
  };
}
