import { nearestName } from "../nearest_name.ts";
import { additional, alternatives, isSchema, isUnknownSchema, itemsOf, merged, typeOf } from "./json_schema.ts";

/** The schema found at a path, or the segment that is not there. */
export type SchemaAtPath =
  | { readonly found: true; readonly schema: unknown }
  | { readonly found: false; readonly segment: string; readonly suggestion: string | undefined };

/**
 * The schema of the value at a path below a schema's value. Where the schema says nothing, the schema is `{}`. A property
 * that an object does not declare is not found, unless the schema speaks of further properties.
 */
export function schemaAtPath(schema: unknown, path: readonly string[]): SchemaAtPath {
  let current = schema;
  for (const segment of path) {
    if (isUnknownSchema(current) || !isSchema(current)) return { found: true, schema: {} };
    const steps = alternatives(current).map((option) => step(option, segment));
    const reached = steps.filter((found) => found.found).map(({ schema }) => schema);
    if (reached.length === 0) {
      const known = steps.flatMap(({ known }) => known);
      return { found: false, segment, suggestion: nearestName(segment, known) };
    }
    current = reached.length === 1 ? reached[0] : { anyOf: reached.map((schema) => isSchema(schema) ? schema : {}) };
  }
  return { found: true, schema: current };
}

interface Step {
  readonly found: boolean;
  readonly schema: unknown;
  readonly known: readonly string[];
}

function step(option: Readonly<Record<string, unknown>>, segment: string): Step {
  const schema = merged(option);
  if (isUnknownSchema(schema)) return { found: true, schema: {}, known: [] };
  const type = typeOf(schema);
  if (type === "array") {
    const found = /^\d+$/.test(segment);
    return {
      found: found || segment === "length",
      schema: found ? itemsOf(schema, Number(segment)) ?? {} : {},
      known: [],
    };
  }
  if (type !== "object") return { found: false, schema: {}, known: [] };
  const properties = isSchema(schema.properties) ? schema.properties : {};
  if (Object.hasOwn(properties, segment)) return { found: true, schema: properties[segment], known: [] };
  const known = Object.keys(properties);
  const rest = additional(schema);
  if (rest !== undefined) return { found: rest !== false, schema: rest === true ? {} : rest, known };
  return { found: known.length === 0, schema: {}, known };
}
