import { CallError, FromSchema, operationId, type OperationSpec, OperationType } from "@alkdev/operations";
import { isRecord, quote } from "./envelope.ts";
import { OPERATION_LIMIT } from "./spoke.ts";

/** A decoded `hub.register`. */
export interface Registration {
  readonly name: string;
  readonly spokeType: string;
  readonly version: string | null;
  readonly operations: readonly OperationSpec[];
  readonly maxConcurrency: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostInfo: Readonly<Record<string, unknown>> | null;
  readonly batch: boolean;
  /** With `batch`: an empty array is wanted where there is nothing else to say. */
  readonly acks: boolean;
  readonly resume: string | null;
}

/** The hub's own: no spoke may offer operations there. */
export const RESERVED_NAMESPACES: readonly string[] = [
  "core",
  "hub",
  "coord",
  "task",
  "session",
  "inference",
  "workflow",
];

const MAX_OPERATIONS = 1_000;
const MAX_LABELS = 64;
const MAX_CONCURRENCY = 10_000;
const DEFAULT_CONCURRENCY = 16;
const NAMESPACE = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,199}$/;
const VERSION = /^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]{1,100})?$/;
const TYPES: ReadonlySet<unknown> = new Set(Object.values(OperationType));

/** @throws {CallError} `VALIDATION_ERROR` with `details.errors: {path, message}[]`; names the operation and the path */
export function decodeRegistration(input: unknown): Registration {
  if (!isRecord(input)) throw invalid("/", `Registration is ${quote(input)}: wanted an object`);
  const { operations = [], batch = false, resume } = input;
  if (!Array.isArray(operations)) throw invalid("/operations", `Field "operations" is not an array`);
  if (operations.length > MAX_OPERATIONS) {
    throw invalid(
      "/operations",
      `Field "operations" has ${operations.length} entries: wanted at most ${MAX_OPERATIONS}`,
    );
  }
  if (typeof batch !== "boolean") throw invalid("/batch", `Field "batch" is ${quote(batch)}: wanted a boolean`);
  const specs = operations.map((spec: unknown, index) => decodeOperation(spec, `/operations/${index}`));
  const ids = new Set<string>();
  for (const [index, spec] of specs.entries()) {
    const id = operationId(spec);
    if (ids.has(id)) throw invalid(`/operations/${index}`, `Operation "${id}" is given twice`);
    ids.add(id);
  }
  return {
    name: text(input, "name", "", 200),
    spokeType: text(input, "spokeType", "", 100, "custom"),
    version: input["version"] === undefined ? null : text(input, "version", "", 100),
    operations: specs,
    maxConcurrency: concurrency(input["maxConcurrency"]),
    labels: labels(input["labels"]),
    hostInfo: record(input["hostInfo"], "hostInfo"),
    batch,
    acks: input["acks"] === true,
    resume: resume === undefined || resume === null ? null : text(input, "resume", "", 200),
  };
}

/**
 * Specs as they come out of a database or from another hub, where their schemas have become plain JSON. What this release no
 * longer reads, such as a pattern that it refuses, takes any value: the spoke checks its own input.
 */
export function reviveOperations(operations: readonly OperationSpec[]): readonly OperationSpec[] {
  return operations.map((spec) => ({
    ...spec,
    inputSchema: reviveSchema(spec.inputSchema),
    outputSchema: reviveSchema(spec.outputSchema),
  }));
}

function reviveSchema(value: unknown): OperationSpec["inputSchema"] {
  try {
    return FromSchema(value);
  } catch (error) {
    if (error instanceof CallError) return FromSchema(true);
    throw error;
  }
}

function decodeOperation(value: unknown, path: string): OperationSpec {
  if (!isRecord(value)) throw invalid(path, `Operation is ${quote(value)}: wanted an object`);
  const namespace = text(value, "namespace", path, 100);
  const name = text(value, "name", path, 200);
  const id = `${namespace}.${name}`;
  if (!NAMESPACE.test(namespace) || !NAME.test(name)) {
    throw invalid(
      path,
      `Operation id ${quote(id)} is not valid: wanted a letter, then letters, digits, "_", "-" and "."`,
    );
  }
  if (RESERVED_NAMESPACES.includes(namespace)) {
    throw invalid(`${path}/namespace`, `Operation "${id}" is in the reserved namespace "${namespace}": choose another`);
  }
  const version = text(value, "version", path, 130, "1.0.0");
  if (!VERSION.test(version)) {
    throw invalid(
      `${path}/version`,
      `Field "version" of operation "${id}" is ${quote(version)}: wanted a semantic version`,
    );
  }
  const type = value["type"] ?? OperationType.MUTATION;
  if (!isOperationType(type)) {
    throw invalid(
      `${path}/type`,
      `Field "type" of operation "${id}" is ${quote(type)}: wanted "query", "mutation" or "subscription"`,
    );
  }
  return {
    namespace,
    name,
    version,
    type,
    description: text(value, "description", path, 10_000, ""),
    ...(value["title"] === undefined ? {} : { title: text(value, "title", path, 500) }),
    ...(value["tags"] === undefined ? {} : { tags: strings(value["tags"], `${path}/tags`, id) }),
    inputSchema: schema(value["inputSchema"], `${path}/inputSchema`, id),
    outputSchema: schema(value["outputSchema"], `${path}/outputSchema`, id),
    ...errorSchemas(value["errorSchemas"], path, id),
    accessControl: accessControl(value["accessControl"], `${path}/accessControl`, id),
    ...meta(value, path),
  };
}

/** A limit of its own goes into the spec's `_meta`, where it is stored and shown. */
function meta(value: Readonly<Record<string, unknown>>, path: string): Pick<OperationSpec, "_meta"> {
  const given = isRecord(value["_meta"]) ? value["_meta"] : {};
  const limit = value[OPERATION_LIMIT] === undefined
    ? {}
    : { [OPERATION_LIMIT]: concurrency(value[OPERATION_LIMIT], `${path}/${OPERATION_LIMIT}`) };
  const whole = { ...given, ...limit };
  return Object.keys(whole).length === 0 ? {} : { _meta: whole };
}

function schema(value: unknown, path: string, id: string): OperationSpec["inputSchema"] {
  try {
    return FromSchema(value ?? {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(path, `Operation "${id}", ${path.slice(path.lastIndexOf("/") + 1)}: ${reason}`, error);
  }
}

function errorSchemas(value: unknown, path: string, id: string): Pick<OperationSpec, "errorSchemas"> {
  if (value === undefined) return {};
  const at = `${path}/errorSchemas`;
  if (!Array.isArray(value)) throw invalid(at, `Field "errorSchemas" of operation "${id}" is not an array`);
  const errors = value.map((entry: unknown, index) => {
    if (!isRecord(entry)) throw invalid(`${at}/${index}`, `Error of operation "${id}" is not an object`);
    const { httpStatus } = entry;
    return {
      code: text(entry, "code", `${at}/${index}`, 200),
      description: text(entry, "description", `${at}/${index}`, 10_000, ""),
      schema: entry["schema"] ?? {},
      ...(typeof httpStatus === "number" ? { httpStatus } : {}),
    };
  });
  return { errorSchemas: errors };
}

function accessControl(value: unknown, path: string, id: string): OperationSpec["accessControl"] {
  if (value === undefined) return { requiredScopes: [] };
  if (!isRecord(value)) throw invalid(path, `Field "accessControl" of operation "${id}" is not an object`);
  const any = value["requiredScopesAny"];
  return {
    requiredScopes: strings(value["requiredScopes"] ?? [], `${path}/requiredScopes`, id),
    ...(any === undefined ? {} : { requiredScopesAny: strings(any, `${path}/requiredScopesAny`, id) }),
    ...(value["resourceType"] === undefined ? {} : { resourceType: text(value, "resourceType", path, 200) }),
    ...(value["resourceAction"] === undefined ? {} : { resourceAction: text(value, "resourceAction", path, 200) }),
    ...(value["customAuth"] === undefined ? {} : { customAuth: text(value, "customAuth", path, 200) }),
  };
}

function concurrency(value: unknown = DEFAULT_CONCURRENCY, path: string = "/maxConcurrency"): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_CONCURRENCY) return value;
  throw invalid(path, `Field "maxConcurrency" is ${quote(value)}: wanted an integer from 1 to ${MAX_CONCURRENCY}`);
}

function labels(value: unknown = {}): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw invalid("/labels", `Field "labels" is ${quote(value)}: wanted an object of strings`);
  const entries = Object.entries(value);
  if (entries.length > MAX_LABELS) {
    throw invalid("/labels", `Field "labels" has ${entries.length} entries: wanted at most ${MAX_LABELS}`);
  }
  const found = new Map<string, string>();
  for (const [key, label] of entries) {
    if (typeof label !== "string") {
      throw invalid(`/labels/${key}`, `Label "${key}" is ${quote(label)}: wanted a string`);
    }
    found.set(key, label);
  }
  return Object.fromEntries(found);
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> | null {
  if (value === undefined || value === null) return null;
  if (isRecord(value)) return value;
  throw invalid(`/${field}`, `Field "${field}" is ${quote(value)}: wanted an object`);
}

function strings(value: unknown, path: string, id: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid(
    path,
    `Field "${path.slice(path.lastIndexOf("/") + 1)}" of operation "${id}" is ${
      quote(value)
    }: wanted an array of strings`,
  );
}

function text(
  source: Readonly<Record<string, unknown>>,
  field: string,
  path: string,
  maxLength: number,
  absent?: string,
): string {
  const value = source[field] ?? absent;
  const isText = typeof value === "string" && value.length <= maxLength && (value !== "" || absent === "");
  // The database's text cannot hold NUL.
  if (isText && !value.includes("\0")) return value;
  const whose = typeof source["namespace"] === "string" && typeof source["name"] === "string"
    ? ` of operation "${source["namespace"]}.${source["name"]}"`
    : "";
  throw invalid(
    `${path}/${field}`,
    `Field "${field}"${whose} is ${quote(value)}: wanted a string of at most ${maxLength} characters${
      isText ? ", none of them NUL" : ""
    }`,
  );
}

function isOperationType(value: unknown): value is OperationType {
  return TYPES.has(value);
}

function invalid(path: string, message: string, cause?: unknown): CallError {
  return new CallError("VALIDATION_ERROR", message, { errors: [{ path, message }] }, { cause });
}
