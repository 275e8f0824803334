/** A JSON Schema object, read structurally; TypeBox schemas are such. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Does the schema say nothing of its values that we follow: `{}`, `true`, Unknown, Any, references, negations? */
export function isUnknownSchema(schema: unknown): boolean {
  if (!isSchema(schema)) return true;
  return !["type", "const", "enum", "anyOf", "oneOf", "allOf", "properties", "items"].some((keyword) =>
    keyword in schema
  );
}

/** The alternatives of a schema: members of `anyOf`, `oneOf`, of a list of types and of an `enum`; else itself. */
export function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const union = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(union)) return union.filter(isSchema).flatMap(alternatives);
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => ({ const: value }));
  return [schema];
}

/** An intersection of objects as one object; any other schema as it is. */
export function merged(schema: JsonSchema): JsonSchema {
  const parts = Array.isArray(schema.allOf) ? schema.allOf.filter(isSchema).map(merged) : [];
  if (parts.length === 0) return schema;
  const properties: Record<string, unknown> = {};
  const required: unknown[] = [];
  let open: unknown;
  for (const part of [schema, ...parts]) {
    if (isSchema(part.properties)) Object.assign(properties, part.properties);
    if (Array.isArray(part.required)) required.push(...part.required);
    open ??= additional(part);
  }
  const type = parts.find((part) => part.type !== undefined)?.type;
  return { type, properties, required, ...(open !== undefined && { additionalProperties: open }) };
}

/** The type of a schema's values; of a constant, that of the constant. Undefined: not said. */
export function typeOf(schema: JsonSchema): string | undefined {
  if (typeof schema.type === "string") return schema.type;
  if ("const" in schema) {
    const value = schema.const;
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    return typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
  }
  if ("properties" in schema) return "object";
  return "items" in schema ? "array" : undefined;
}

/** The schema of properties that `properties` does not name; undefined when nothing is said of them. */
export function additional(schema: JsonSchema): unknown {
  if (schema.additionalProperties !== undefined) return schema.additionalProperties;
  return isSchema(schema.patternProperties) ? Object.values(schema.patternProperties)[0] : undefined;
}

/** A schema in a few words, for messages: `{ name: string, tags?: string[] }`. */
export function describeSchema(schema: unknown, depth = 0): string {
  if (isUnknownSchema(schema) || !isSchema(schema)) return "unknown";
  const options = alternatives(schema);
  if (options.length !== 1) {
    const names = [...new Set(options.slice(0, 8).map((option) => describeSchema(option, depth + 1)))];
    return names.join(" | ") + (options.length > 8 ? " | ..." : "");
  }
  const one = merged(options[0] ?? {});
  if ("const" in one) return JSON.stringify(one.const);
  const type = typeOf(one);
  if (type === "array") return depth > 2 ? "array" : `${describeSchema(itemsOf(one), depth + 1)}[]`;
  if (type !== "object") return type ?? "unknown";
  const properties = isSchema(one.properties) ? Object.entries(one.properties) : [];
  if (properties.length === 0 || depth > 2) return "object";
  const required = Array.isArray(one.required) ? one.required : [];
  const shown = properties.slice(0, 8).map(([name, property]) =>
    `${name}${required.includes(name) ? "" : "?"}: ${describeSchema(property, depth + 1)}`
  );
  return `{ ${shown.join(", ")}${properties.length > 8 ? ", ..." : ""} }`;
}

/** The schema of an array's items; of a tuple's, that of the given place. */
export function itemsOf(schema: JsonSchema, index?: number): unknown {
  const tuple = Array.isArray(schema.prefixItems)
    ? schema.prefixItems
    : Array.isArray(schema.items)
    ? schema.items
    : null;
  if (!tuple) return schema.items;
  return index === undefined ? { anyOf: tuple } : tuple[index];
}

/** A schema object? */
export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
