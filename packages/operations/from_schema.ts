import {
  Kind,
  PatternNeverExact,
  PatternNumberExact,
  PatternStringExact,
  type SchemaOptions,
  type TSchema,
  Type,
} from "@alkdev/typebox";
import {
  annotations,
  ARRAY_KEYWORDS,
  broken,
  escape,
  format,
  hasControlCharacters,
  isObject,
  isPattern,
  type JsonObject,
  keywords,
  literal,
  NUMBER_KEYWORDS,
  OBJECT_KEYWORDS,
  quote,
  STRING_KEYWORDS,
} from "./json_schema_keywords.ts";
import { PatternError } from "./linear_pattern.ts";
import { linearRecord, linearString } from "./linear_schemas.ts";
import { SchemaReferences } from "./schema_references.ts";
import { compileCheck } from "./validation.ts";

/**
 * Reads a plain JSON Schema, as TypeBox schemas become on a wire: object, array, tuple, string, number, integer, boolean,
 * null, enum, const, allOf, anyOf, oneOf (as anyOf), not, and `$ref`s within the document, recursive ones included.
 *
 * Only known keywords of the right type are carried over, so nothing of an untrusted schema reaches the code that TypeBox
 * generates. Keywords that have no TypeBox form (`if`, `dependentRequired`, …) are not checked. An unknown `format` becomes
 * `x-format`, because TypeBox would fail every value. A `pattern` is matched in linear time, as {@linkcode linearPattern}
 * does, and refused where it cannot be, unless `patterns` is `"native"`: for schemas that come from one's own code.
 *
 * @throws {CallError} `VALIDATION_ERROR`, naming the place as a JSON pointer
 */
export function FromSchema(schema: unknown, options: FromSchemaOptions = {}): TSchema {
  const read = new SchemaReader(schema, options).read(schema);
  if (isObject(schema)) sources.set(read, schema);
  return read;
}

/** How {@linkcode FromSchema} reads. */
export interface FromSchemaOptions {
  /** Default `"linear"`. `"native"` makes a RegExp of a pattern, which the wrong text can hold up for hours. */
  readonly patterns?: "linear" | "native";
}

const sources = new WeakMap<TSchema, unknown>();

/** The document that {@linkcode FromSchema} made a schema of, with the keywords that it left out; else the schema itself. */
export function schemaSource(schema: TSchema): unknown {
  return sources.get(schema) ?? schema;
}

interface Target {
  readonly id: string;
  readonly level: number;
  /** How many targets were open before it. */
  readonly index: number;
  recursive: boolean;
}

/** What a reference led to before, and how much it adds to what holds it. */
interface Known {
  readonly schema: TSchema;
  readonly nodes: number;
  readonly height: number;
}

/** A reference can double what follows it, so that a small document becomes a huge one: these bound the result. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 200;
const OBJECT_HINTS = ["properties", "required", "additionalProperties", "patternProperties"];
const ARRAY_HINTS = ["items", "prefixItems"];
/** What TypeBox's own records become on a wire: harmless, and better known as a Record. */
const RECORD_PATTERNS: readonly string[] = [PatternStringExact, PatternNumberExact, PatternNeverExact];

/**
 * Reads any number of schemas of one document, as {@linkcode FromSchema} does. What several references lead to is converted
 * once and shared.
 */
export class SchemaReader {
  readonly #references: SchemaReferences;
  readonly #linear: boolean;
  readonly #known = new Map<unknown, Known>();
  /** Targets being converted -> whether something inside refers back to them. */
  readonly #open = new Map<unknown, Target>();
  #nodes = 0;
  #ids = 0;
  #depth = 0;
  /** The deepest `#depth`, and the least index of an open target referred to, inside what is being converted. */
  #deepest = 0;
  #least = Infinity;
  /** How far inside the value we are: a reference back at the same level would never end. */
  #level = 0;

  constructor(root: unknown, { patterns = "linear" }: FromSchemaOptions = {}) {
    this.#references = new SchemaReferences(root);
    this.#linear = patterns === "linear";
  }

  /** @throws {CallError} `VALIDATION_ERROR`, naming the place as a JSON pointer that starts with `place` */
  read(schema: unknown, place = "#"): TSchema {
    // One that threw has left these as they were.
    this.#open.clear();
    this.#nodes =
      this.#depth =
      this.#level =
      this.#deepest =
        0;
    this.#least = Infinity;
    return this.#convert(schema, place);
  }

  #convert(schema: unknown, place: string): TSchema {
    if (schema === true) return Type.Unknown();
    if (schema === false) return Type.Never();
    if (!isObject(schema)) throw broken(place, `is ${quote(schema)}: wanted an object or a boolean`);
    this.#count(1, 1, place);
    this.#depth++;
    const open = this.#open.get(schema);
    if (open !== undefined) {
      if (open.level === this.#level) throw broken(place, "refers to itself without a property or an item in between");
      open.recursive = true;
      this.#least = Math.min(this.#least, open.index);
      this.#depth--;
      return Type.Unsafe({ [Kind]: "This", $ref: open.id });
    }
    const target = { id: `ref:${++this.#ids}`, level: this.#level, index: this.#open.size, recursive: false };
    this.#open.set(schema, target);
    const result = this.#convertParts(schema, place);
    this.#open.delete(schema);
    this.#depth--;
    return target.recursive ? { ...result, $id: target.id } : result;
  }

  #count(nodes: number, height: number, place: string): void {
    this.#nodes += nodes;
    if (this.#nodes > MAX_NODES) {
      throw broken(place, `has more than ${MAX_NODES} schemas once its $refs are followed`);
    }
    this.#deepest = Math.max(this.#deepest, this.#depth + height);
    if (this.#deepest > MAX_DEPTH) throw broken(place, `is nested more than ${MAX_DEPTH} levels deep`);
  }

  /** Each assertion that stands beside others becomes one part of an intersection. */
  #convertParts(schema: JsonObject, place: string): TSchema {
    const parts: TSchema[] = [];
    if (schema["$ref"] !== undefined) parts.push(this.#follow(schema["$ref"], place));
    if (schema["const"] !== undefined) parts.push(literal(schema["const"], place));
    if (schema["enum"] !== undefined) parts.push(this.#enum(schema["enum"], place));
    const base = this.#base(schema, place, parts.length > 0);
    if (base !== undefined) parts.push(base);
    for (const keyword of ["anyOf", "oneOf"] as const) {
      if (schema[keyword] !== undefined) parts.push(Type.Union(this.#list(schema, keyword, place)));
    }
    if (schema["allOf"] !== undefined) parts.push(...this.#list(schema, "allOf", place));
    if (schema["not"] !== undefined) parts.push(Type.Not(this.#convert(schema["not"], `${place}/not`)));
    const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : intersect(parts);
    const annotated = { ...whole, ...annotations(schema) };
    return schema["nullable"] === true ? Type.Union([annotated, Type.Null()]) : annotated;
  }

  #follow(reference: unknown, place: string): TSchema {
    if (typeof reference !== "string") throw broken(`${place}/$ref`, `is ${quote(reference)}: wanted a string`);
    const target = this.#references.resolve(reference);
    if (target === undefined) {
      throw broken(
        `${place}/$ref`,
        `is ${quote(reference)}, which is not in this document: wanted "#/…" or a known $id`,
      );
    }
    return this.#shared(target, reference.startsWith("#") ? reference : `#${reference}`);
  }

  /** Converts what a reference leads to; the second time it is known, unless it refers back to something around it. */
  #shared(schema: unknown, place: string): TSchema {
    const known = this.#known.get(schema);
    if (known !== undefined) {
      this.#count(known.nodes, known.height, place);
      return known.schema;
    }
    const [nodes, index, deepest, least] = [this.#nodes, this.#open.size, this.#deepest, this.#least];
    this.#deepest = this.#depth;
    this.#least = Infinity;
    const converted = this.#convert(schema, place);
    if (this.#least >= index) {
      const [size, height] = [this.#nodes - nodes, this.#deepest - this.#depth];
      this.#known.set(schema, { schema: converted, nodes: size, height });
    }
    this.#deepest = Math.max(this.#deepest, deepest);
    this.#least = Math.min(this.#least, least);
    return converted;
  }

  #enum(values: unknown, place: string): TSchema {
    if (!Array.isArray(values) || values.length === 0) {
      throw broken(`${place}/enum`, `is ${quote(values)}: wanted a non-empty array`);
    }
    return Type.Union(values.map((value, index) => literal(value, `${place}/enum/${index}`)));
  }

  #list(schema: JsonObject, keyword: string, place: string): TSchema[] {
    const members = schema[keyword];
    if (!Array.isArray(members) || members.length === 0) {
      throw broken(`${place}/${keyword}`, `is ${quote(members)}: wanted a non-empty array of schemas`);
    }
    return members.map((member, index) => this.#convert(member, `${place}/${keyword}/${index}`));
  }

  #base(schema: JsonObject, place: string, hasOthers: boolean): TSchema | undefined {
    let type = schema["type"];
    if (Array.isArray(type)) {
      return Type.Union(type.map((one) => this.#typed(schema, one, place)));
    }
    if (type === undefined && OBJECT_HINTS.some((hint) => hint in schema)) type = "object";
    if (type === undefined && ARRAY_HINTS.some((hint) => hint in schema)) type = "array";
    // A type beside const or enum says nothing new.
    if (type === undefined || (hasOthers && (schema["const"] !== undefined || schema["enum"] !== undefined))) return;
    return this.#typed(schema, type, place);
  }

  #typed(schema: JsonObject, type: unknown, place: string): TSchema {
    switch (type) {
      case "object":
        return this.#inside(() => this.#object(schema, place));
      case "array":
        return this.#inside(() => this.#array(schema, place));
      case "string":
        return this.#string(schema, place);
      case "number":
        return Type.Number(keywords(withLimits(schema), NUMBER_KEYWORDS, place));
      case "integer":
        return Type.Integer(keywords(withLimits(schema), NUMBER_KEYWORDS, place));
      case "boolean":
        return Type.Boolean();
      case "null":
        return Type.Null();
      // What TypeBox's own Void and Undefined become on a wire.
      case "void":
      case "undefined":
        return Type.Undefined();
      default:
        throw broken(
          `${place}/type`,
          `is ${quote(type)}: wanted object, array, string, number, integer, boolean or null`,
        );
    }
  }

  #string(schema: JsonObject, place: string): TSchema {
    const options = { ...keywords(schema, STRING_KEYWORDS, place), ...format(schema, place) };
    const pattern: unknown = options["pattern"];
    if (!this.#linear || typeof pattern !== "string") return Type.String(options);
    return linear(`${place}/pattern`, pattern, () => linearString({ ...options, pattern }));
  }

  #inside(convert: () => TSchema): TSchema {
    this.#level++;
    const result = convert();
    this.#level--;
    return result;
  }

  #object(schema: JsonObject, place: string): TSchema {
    const properties = schema["properties"] ?? {};
    if (!isObject(properties)) throw broken(`${place}/properties`, `is ${quote(properties)}: wanted an object`);
    const required = schema["required"] ?? [];
    if (!Array.isArray(required) || !required.every((name) => typeof name === "string")) {
      throw broken(`${place}/required`, `is ${quote(required)}: wanted an array of strings`);
    }
    const options = keywords(schema, OBJECT_KEYWORDS, place);
    const patterns = schema["patternProperties"];
    if (patterns !== undefined) {
      const record = this.#record(schema, patterns, place, options);
      if (record !== undefined) return record;
    }
    const wanted = new Set<string>(required);
    const members = new Map<string, TSchema>();
    for (const name of [...Object.keys(properties), ...wanted]) {
      if (hasControlCharacters(name)) {
        throw broken(place, `has property ${quote(name)}: wanted a name without control characters`);
      }
    }
    for (const [name, member] of Object.entries(properties)) {
      const converted = this.#convert(member, `${place}/properties/${escape(name)}`);
      members.set(name, wanted.has(name) ? converted : Type.Optional(converted));
    }
    for (const name of wanted) {
      if (!members.has(name)) members.set(name, Type.Unknown());
    }
    const additional = schema["additionalProperties"];
    // With patterns that TypeBox cannot hold beside properties, the rest cannot be told from what a pattern allows.
    const closed = additional === undefined || additional === true || patterns !== undefined ? {} : {
      additionalProperties: additional === false ? false : this.#convert(additional, `${place}/additionalProperties`),
    };
    return Type.Object(Object.fromEntries(members), { ...options, ...closed });
  }

  /** One pattern and nothing else is TypeBox's Record; undefined for any other use of patterns. */
  #record(schema: JsonObject, patterns: unknown, place: string, options: SchemaOptions): TSchema | undefined {
    if (!isObject(patterns)) throw broken(`${place}/patternProperties`, `is ${quote(patterns)}: wanted an object`);
    const [first, ...rest] = Object.entries(patterns);
    if (first === undefined || rest.length > 0 || schema["properties"] !== undefined) return undefined;
    if (schema["required"] !== undefined) return undefined;
    const [pattern, member] = first;
    if (!isPattern(pattern)) throw broken(`${place}/patternProperties`, `has ${quote(pattern)}: wanted a pattern`);
    const value = this.#convert(member, `${place}/patternProperties/${escape(pattern)}`);
    const closed = schema["additionalProperties"] === false ? { additionalProperties: false } : {};
    if (this.#linear && !RECORD_PATTERNS.includes(pattern)) {
      const fits = lazily(() => compileCheck(this.read(member, place)));
      const at = `${place}/patternProperties`;
      return linear(
        at,
        pattern,
        () => linearRecord(pattern, value, (item) => fits().Check(item), { ...options, ...closed }),
      );
    }
    return Type.Record(Type.String({ pattern }), value, { ...options, ...closed });
  }

  #array(schema: JsonObject, place: string): TSchema {
    const options = keywords(schema, ARRAY_KEYWORDS, place);
    const { items, prefixItems, additionalItems } = schema;
    const tuple = Array.isArray(items) ? items : prefixItems;
    if (tuple === undefined) {
      return Type.Array(items === undefined ? Type.Unknown() : this.#convert(items, `${place}/items`), options);
    }
    if (!Array.isArray(tuple)) throw broken(`${place}/prefixItems`, `is ${quote(tuple)}: wanted an array of schemas`);
    const members = tuple.map((member, index) => this.#convert(member, `${place}/items/${index}`));
    const rest = Array.isArray(items) ? additionalItems : items;
    const tuples = rest === false || schema["maxItems"] === members.length ? tuplesOf(members, schema["minItems"]) : [];
    if (tuples.length > 0) return tuples.length === 1 ? tuples[0] ?? Type.Never() : Type.Union(tuples);
    const others = rest === false ? [] : [rest === undefined ? Type.Unknown() : this.#convert(rest, `${place}/items`)];
    return Type.Array(Type.Union([...members, ...others]), options);
  }
}

const MAX_TUPLE_LENGTHS = 16;

/**
 * TypeBox tuples have exactly their length: what may be shorter is one of several, the longest first. None where that would be
 * too many or cannot be; such a tuple, and one that may be longer, is checked as an array of the members' union.
 */
function tuplesOf(members: readonly TSchema[], minItems: unknown): TSchema[] {
  const least = typeof minItems === "number" ? Math.max(0, Math.ceil(minItems)) : 0;
  const count = members.length - least + 1;
  if (count > MAX_TUPLE_LENGTHS) return [];
  return Array.from({ length: Math.max(0, count) }, (_, at) => Type.Tuple(members.slice(0, members.length - at)));
}

/** OpenAPI 3.0 says `exclusiveMinimum: true` beside `minimum`, as JSON Schema once did. */
function withLimits(schema: JsonObject): JsonObject {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...others } = schema;
  return {
    ...others,
    ...(exclusiveMinimum === true ? { exclusiveMinimum: minimum } : { minimum }),
    ...(exclusiveMaximum === true ? { exclusiveMaximum: maximum } : { maximum }),
    ...(typeof exclusiveMinimum !== "boolean" && { exclusiveMinimum }),
    ...(typeof exclusiveMaximum !== "boolean" && { exclusiveMaximum }),
  };
}

/** Makes a schema of a pattern. @throws {CallError} with the reason why the pattern is refused */
function linear(place: string, pattern: string, make: () => TSchema): TSchema {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw broken(place, `has the pattern ${quote(pattern)}, which is refused: ${error.message}`);
  }
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

function intersect(parts: TSchema[]): TSchema {
  return parts.length === 0 ? Type.Unknown() : Type.Intersect(parts);
}
