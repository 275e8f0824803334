import { KindGuard, type TObject, type TSchema } from "@alkdev/typebox";
import { CallError, collectErrors } from "@alkdev/operations";

const MAX_QUERY_LENGTH = 8192;

type FieldKind = "text" | "number" | "boolean";

interface Field {
  readonly kind: FieldKind;
  readonly repeated: boolean;
}

/** Turns a query string into the object that its schema describes. */
export interface QueryDecoder {
  /** @throws {CallError} `VALIDATION_ERROR`, `URI_TOO_LONG` */
  decode(url: string): unknown;
}

/** Made once a route. */
export function createQueryDecoder(schema: TObject | undefined): QueryDecoder {
  const fields = new Map<string, Field>();
  const defaults: Record<string, unknown> = {};
  for (const [name, property] of Object.entries<TSchema>(schema?.properties ?? {})) {
    fields.set(name, toField(property));
    if (property.default !== undefined) defaults[name] = property.default;
  }
  Object.freeze(defaults);
  const required = schema !== undefined && (schema.required?.length ?? 0) > 0;
  return {
    decode(url: string): unknown {
      const start = url.indexOf("?");
      if (start === -1 && !required) return defaults;
      if (start !== -1 && url.length - start > MAX_QUERY_LENGTH) {
        throw new CallError("URI_TOO_LONG", `Query is too long: wanted at most ${MAX_QUERY_LENGTH} characters`);
      }
      return decodeFields(new URLSearchParams(start === -1 ? "" : url.slice(start)), fields, defaults, schema);
    },
  };
}

function decodeFields(
  given: URLSearchParams,
  fields: ReadonlyMap<string, Field>,
  defaults: Readonly<Record<string, unknown>>,
  schema: TObject | undefined,
): unknown {
  const errors: { readonly path: string; readonly message: string }[] = [];
  const query: Record<string, unknown> = { ...defaults };
  for (const name of new Set(given.keys())) {
    const field = fields.get(name);
    const values = given.getAll(name);
    if (field === undefined) {
      const known = fields.size === 0 ? "no query parameters" : `one of ${[...fields.keys()].join(", ")}`;
      errors.push({ path: `?${name}`, message: `is not a known query parameter: wanted ${known}` });
    } else if (field.repeated) query[name] = values.map((value) => coerce(value, field.kind));
    else if (values.length > 1) {
      errors.push({ path: `?${name}`, message: `is given ${values.length} times: wanted once` });
    } else query[name] = coerce(values[0] ?? "", field.kind);
  }
  if (schema !== undefined) {
    for (const { path, message } of collectErrors(schema, query)) errors.push({ path: `?${path.slice(1)}`, message });
  }
  if (errors.length === 0) return query;
  const detail = errors.map(({ path, message }) => `"${path.slice(1)}" ${message}`).join("; ");
  throw new CallError("VALIDATION_ERROR", `Query parameter ${detail}`, { errors });
}

/** What cannot be turned is left as text: the schema's check then says what is wrong with it. */
function coerce(text: string, kind: FieldKind): unknown {
  if (kind === "number" && /^-?\d{1,16}(\.\d+)?$/.test(text)) return Number(text);
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function toField(schema: TSchema): Field {
  if (KindGuard.IsArray(schema)) return { kind: kindOf(schema.items), repeated: true };
  return { kind: kindOf(schema), repeated: false };
}

function kindOf(schema: TSchema): FieldKind {
  if (KindGuard.IsInteger(schema) || KindGuard.IsNumber(schema)) return "number";
  return KindGuard.IsBoolean(schema) ? "boolean" : "text";
}
