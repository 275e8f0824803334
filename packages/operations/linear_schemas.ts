import { FormatRegistry, Kind, type SchemaOptions, type TSchema, Type, TypeRegistry } from "@alkdev/typebox";
import { linearPattern } from "./linear_pattern.ts";

/*
 * A string with a pattern and an object with a property pattern, as TypeBox kinds of our own: TypeBox's make a RegExp of a
 * pattern, which a stranger's can hold up for hours. On a wire they are the same JSON Schema.
 */

const STRING = "LinearString";
const RECORD = "LinearRecord";

/** Checks a member of a record. It may refer to what is around the record, so its own schema is not enough. */
type FitsMember = (value: unknown) => boolean;
/** The same in every copy of this package, as the kinds are. */
const FITS: unique symbol = Symbol.for("@alkdev/operations/fits");

interface LinearStringSchema extends TSchema {
  readonly pattern: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
}

interface LinearRecordSchema extends TSchema {
  readonly [FITS]: FitsMember;
  readonly patternProperties: Readonly<Record<string, TSchema>>;
  readonly additionalProperties?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

TypeRegistry.Set<LinearStringSchema>(STRING, (schema, value) => stringProblem(schema, value) === null);
TypeRegistry.Set<LinearRecordSchema>(RECORD, (schema, value) => recordProblem(schema, value) === null);

/** A string with a `pattern` from outside. @throws {PatternError} */
export function linearString(options: SchemaOptions & { readonly pattern: string }): TSchema {
  linearPattern(options.pattern);
  return Type.Unsafe<string>({ ...options, [Kind]: STRING, type: "string" });
}

/** An object whose properties that match a pattern from outside fit `member`. @throws {PatternError} */
export function linearRecord(pattern: string, member: TSchema, fits: FitsMember, options: SchemaOptions): TSchema {
  linearPattern(pattern);
  return Type.Unsafe<object>({
    ...options,
    [Kind]: RECORD,
    [FITS]: fits,
    type: "object",
    patternProperties: { [pattern]: member },
  });
}

/** What is wrong with a value of one of these kinds, without the value itself; undefined for a schema of another kind. */
export function linearProblem(schema: TSchema, value: unknown): string | undefined {
  if (isString(schema)) return stringProblem(schema, value) ?? undefined;
  return isRecord(schema) ? recordProblem(schema, value) ?? undefined : undefined;
}

function isString(schema: TSchema): schema is LinearStringSchema {
  return schema[Kind] === STRING;
}

function isRecord(schema: TSchema): schema is LinearRecordSchema {
  return schema[Kind] === RECORD;
}

function stringProblem(schema: LinearStringSchema, value: unknown): string | null {
  if (typeof value !== "string") return "wanted string";
  const { minLength = 0, maxLength = Infinity, format } = schema;
  if (value.length < minLength) return `wanted string length greater or equal to ${minLength}`;
  if (value.length > maxLength) return `wanted string length less or equal to ${maxLength}`;
  const pattern = linearPattern(schema.pattern);
  if (value.length > pattern.longest) return `wanted at most ${pattern.longest} characters for its pattern`;
  if (!pattern.test(value)) return `wanted string to match '${schema.pattern}'`;
  if (format !== undefined && FormatRegistry.Get(format)?.(value) === false) {
    return `wanted string to match '${format}' format`;
  }
  return null;
}

function recordProblem(schema: LinearRecordSchema, value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "wanted object";
  const entries = Object.entries(value);
  const { minProperties = 0, maxProperties = Infinity } = schema;
  if (entries.length < minProperties) return `wanted at least ${minProperties} properties`;
  if (entries.length > maxProperties) return `wanted at most ${maxProperties} properties`;
  for (const source of Object.keys(schema.patternProperties)) {
    const pattern = linearPattern(source);
    for (const [name, item] of entries) {
      if (name.length > pattern.longest) return `wanted names of at most ${pattern.longest} characters`;
      if (!pattern.test(name)) {
        if (schema.additionalProperties === false) return `wanted only properties that match '${source}'`;
      } else if (!schema[FITS](item)) {
        return `wanted properties that match '${source}' to fit their schema, which ${
          JSON.stringify(name.slice(0, 80))
        } does not`;
      }
    }
  }
  return null;
}
