import { isSchema, type JsonSchema } from "../analysis/json_schema.ts";

/** How a schema's values are written down. */
export interface SchemaTypeOptions {
  /** A property with a default may be left out: it is filled in before the value is used. */
  readonly defaultsFilled?: boolean;
}

interface Writing extends SchemaTypeOptions {
  readonly root: unknown;
  /** Schemas with an `$id` on the way here, and those that a reference led to: a reference back to one is `unknown`. */
  readonly open: readonly JsonSchema[];
  readonly depth: number;
  /** References make a small schema a large type: what is left to write. */
  readonly budget: { schemas: number };
}

/** Deeper parts of a schema, and longer lists of alternatives, are `unknown`. */
const MAX_DEPTH = 24;
const MAX_ALTERNATIVES = 256;
/** Of one type. */
const MAX_SCHEMAS = 5_000;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/**
 * The TypeScript type of a JSON Schema's values. Total: what a type cannot say (patterns, ranges, `not`, conditions) is left
 * out, and what it cannot follow (references to elsewhere, recursion) is `unknown`.
 */
export function typeOfSchema(schema: unknown, options: SchemaTypeOptions = {}): string {
  return write(schema, { ...options, root: schema, open: [], depth: 0, budget: { schemas: MAX_SCHEMAS } });
}

function write(schema: unknown, writing: Writing): string {
  if (schema === false) return "never";
  if (!isSchema(schema) || writing.depth > MAX_DEPTH || writing.budget.schemas-- <= 0) return "unknown";
  const below: Writing = {
    ...writing,
    depth: writing.depth + 1,
    open: typeof schema.$id === "string" ? [...writing.open, schema] : writing.open,
  };
  if (typeof schema.$ref === "string") return writeReference(schema.$ref, below);
  if ("const" in schema) return literal(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal));
  const parts = [
    ...(Array.isArray(schema.anyOf) ? [union(schema.anyOf.map((option) => write(option, below)))] : []),
    ...(Array.isArray(schema.oneOf) ? [union(schema.oneOf.map((option) => write(option, below)))] : []),
    ...(Array.isArray(schema.allOf) ? schema.allOf.map((part) => write(part, below)) : []),
  ];
  const own = writeOwn(schema, below);
  return intersection(own === "unknown" ? parts : [own, ...parts]);
}

/** What the schema says beside its alternatives. */
function writeOwn(schema: JsonSchema, writing: Writing): string {
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => writeType(type, schema, writing)));
  if (schema.type !== undefined) return writeType(schema.type, schema, writing);
  if ("properties" in schema) return writeObject(schema, writing);
  return "items" in schema || "prefixItems" in schema ? writeArray(schema, writing) : "unknown";
}

function writeType(type: unknown, schema: JsonSchema, writing: Writing): string {
  switch (type) {
    case "string":
    case "number":
    case "boolean":
    case "null":
      return type;
    case "integer":
      return "number";
    case "array":
      return writeArray(schema, writing);
    case "object":
      return writeObject(schema, writing);
    default:
      return "unknown";
  }
}

function writeArray(schema: JsonSchema, writing: Writing): string {
  const tuple = Array.isArray(schema.prefixItems)
    ? schema.prefixItems
    : Array.isArray(schema.items)
    ? schema.items
    : null;
  if (tuple === null) return `Array<${write(schema.items, writing)}>`;
  const closed = schema.items === false || schema.additionalItems === false || schema.maxItems === tuple.length;
  const min = typeof schema.minItems === "number" ? schema.minItems : 0;
  const items = tuple.map((item, i) => optionalItem(write(item, writing), i >= min));
  return `[${[...items, ...(closed ? [] : ["...unknown[]"])].join(", ")}]`;
}

function optionalItem(type: string, optional: boolean): string {
  return optional ? `(${type})?` : type;
}

function writeObject(schema: JsonSchema, writing: Writing): string {
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const required = new Set<unknown>(Array.isArray(schema.required) ? schema.required : []);
  const lines = properties.map(([name, property]) => {
    const filled = writing.defaultsFilled === true && isSchema(property) && "default" in property;
    const mark = required.has(name) && !filled ? "" : "?";
    return `${comment(property)}${propertyName(name)}${mark}: ${write(property, writing)}`;
  });
  const named = lines.length === 0 ? null : `{ ${lines.join("; ")} }`;
  const rest = restOf(schema, writing);
  if (named === null) return rest ?? (closedObject(schema) ? "Record<string, never>" : "Record<string, unknown>");
  return rest === null ? named : `(${named} & ${rest})`;
}

/** The properties that have no name; null: nothing is said of them. */
function restOf(schema: JsonSchema, writing: Writing): string | null {
  const patterns = isSchema(schema.patternProperties) ? Object.values(schema.patternProperties) : [];
  const additional = isSchema(schema.additionalProperties) ? [schema.additionalProperties] : [];
  const named = isSchema(schema.properties) && Object.keys(schema.properties).length > 0;
  const schemas = [...patterns, ...additional];
  if (schemas.length === 0) return schema.additionalProperties === true && named ? "Record<string, unknown>" : null;
  // An index signature holds for the named properties too: beside them it can only say that there may be more.
  return named ? "Record<string, unknown>" : `Record<string, ${union(schemas.map((part) => write(part, writing)))}>`;
}

function closedObject(schema: JsonSchema): boolean {
  return schema.additionalProperties === false && !isSchema(schema.patternProperties);
}

function writeReference(ref: string, writing: Writing): string {
  const target = resolve(ref, writing);
  if (target === null || writing.open.includes(target)) return "unknown";
  return write(target, { ...writing, open: [...writing.open, target] });
}

/** Of `#/a/b`, of `#`, and of the `$id` of a schema around this one. */
function resolve(ref: string, { root, open }: Writing): JsonSchema | null {
  const around = open.find(({ $id }) => $id === ref);
  if (around !== undefined) return around;
  if (!ref.startsWith("#")) return definitionOf(ref, root);
  let current: unknown = root;
  for (const segment of ref.slice(1).split("/").filter((part) => part !== "")) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return null;
    current = Reflect.get(current, name);
  }
  return isSchema(current) ? current : null;
}

function definitionOf(id: string, root: unknown): JsonSchema | null {
  if (!isSchema(root)) return null;
  const definitions = root.$defs ?? root.definitions;
  if (!isSchema(definitions)) return null;
  const found = Object.hasOwn(definitions, id)
    ? definitions[id]
    : Object.values(definitions).find((definition) => isSchema(definition) && definition.$id === id);
  return isSchema(found) ? found : null;
}

function literal(value: unknown): string {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return "unknown";
  const lines = Object.entries(value).map(([name, part]) => `${propertyName(name)}: ${literal(part)}`);
  return lines.length === 0 ? "Record<string, never>" : `{ ${lines.join("; ")} }`;
}

function union(types: readonly string[]): string {
  const unique = [...new Set(types)];
  if (unique.length === 0) return "never";
  if (unique.length > MAX_ALTERNATIVES || unique.includes("unknown")) return "unknown";
  return unique.length === 1 ? unique[0] ?? "never" : `(${unique.join(" | ")})`;
}

function intersection(types: readonly string[]): string {
  const unique = [...new Set(types)].filter((type) => type !== "unknown");
  if (unique.length === 0) return "unknown";
  return unique.length === 1 ? unique[0] ?? "unknown" : `(${unique.join(" & ")})`;
}

function propertyName(name: string): string {
  return IDENTIFIER.test(name) ? name : quoted(name);
}

/** As JSON, which TypeScript reads the same way. Line separators would end a line of code. */
function quoted(value: unknown): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function comment(schema: unknown): string {
  return isSchema(schema) && typeof schema.description === "string" ? docComment(schema.description) : "";
}

/** A description as a doc comment on one line, with a space behind it; empty without one. */
export function docComment(description: string): string {
  const text = description.replaceAll("*/", "*\u200b/").replaceAll(/\s+/g, " ").trim();
  return text === "" ? "" : `/** ${text} */ `;
}
