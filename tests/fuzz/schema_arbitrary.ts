import fc from "fast-check";

/** JSON Schema as the hub's documents use it. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Where schemas point to, and values that mean something for a property's or parameter's name. */
export interface SchemaWorld {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly hints: ReadonlyMap<string, readonly unknown[]>;
}

const JSON_VALUE = fc.jsonValue({ maxDepth: 2 });
const MAX_DEPTH = 6;

/** Values that a schema lets pass, but for patterns: what is no name must be refused, so text is not bent to them. */
export function schemaArbitrary(schema: JsonSchema, world: SchemaWorld, name = "", depth = 0): fc.Arbitrary<unknown> {
  const known = world.hints.get(name);
  const made = make(schema, world, depth);
  return known === undefined ? made : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 4 }, made);
}

function make(schema: JsonSchema, world: SchemaWorld, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const target = world.schemas[schema.$ref.split("/").at(-1)!];
    return target === undefined || depth > MAX_DEPTH ? JSON_VALUE : make(target, world, depth + 1);
  }
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => make(one, world, depth)));
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
    case "number":
      return number(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return array(schema, world, depth);
    case "object":
      return object(schema, world, depth);
    default:
      return JSON_VALUE;
  }
}

function text({ minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> {
  const most = Math.max(minLength, Math.min(maxLength, 40));
  return fc.oneof(
    { arbitrary: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/), weight: 3 },
    { arbitrary: fc.string({ minLength, maxLength: most }), weight: 2 },
    { arbitrary: fc.constant("x".repeat(Math.min(maxLength, 20_000))), weight: 1 },
  );
}

function number({ type, minimum = -(2 ** 53), maximum = 2 ** 53 }: JsonSchema): fc.Arbitrary<number> {
  const [min, max] = [Math.ceil(minimum), Math.floor(maximum)];
  const whole = fc.oneof(
    fc.constantFrom(min, max, Math.min(max, Math.max(min, 1))),
    fc.integer({ min: Math.max(min, -1_000), max: Math.max(min, Math.min(max, 1_000)) }),
  );
  return type === "integer" ? whole : fc.oneof(whole, fc.double({ min, max, noNaN: true }));
}

function array(schema: JsonSchema, world: SchemaWorld, depth: number): fc.Arbitrary<unknown> {
  const { minItems = 0, maxItems = 4, items = {} } = schema;
  if (depth > MAX_DEPTH) return fc.constant([]);
  return fc.array(make(items, world, depth + 1), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, 4)),
  });
}

function object(schema: JsonSchema, world: SchemaWorld, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], patternProperties = {} } = schema;
  if (depth > MAX_DEPTH) return fc.constant({});
  const fields = Object.fromEntries(
    Object.entries(properties).map(([key, child]) => [key, schemaArbitrary(child, world, key, depth + 1)]),
  );
  const own = fc.record(fields, { requiredKeys: required.filter((key) => key in fields) });
  const [pattern] = Object.values(patternProperties);
  const extra = pattern ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
  if (extra === undefined) return own;
  const more = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), make(extra, world, depth + 1), { maxKeys: 3 });
  return fc.tuple(own, more).map(([a, b]) => ({ ...b, ...a }));
}
