import { KindGuard, type TSchema } from "@alkdev/typebox";

/** What a body that fits no alternative is to be measured by. */
export type MeantSchema =
  | { readonly schema: TSchema }
  /** The field that tells alternatives apart has none of their values. */
  | { readonly field: string; readonly values: readonly string[] };

/**
 * The alternative that a body means: the one whose literal (`kind: "inbound"`) it has. The schema itself where that is no union
 * of objects told apart by one.
 */
export function meantSchema(schema: TSchema, body: unknown): MeantSchema {
  if (!KindGuard.IsUnion(schema) || typeof body !== "object" || body === null) return { schema };
  const literals = schema.anyOf.map(literalsOf);
  const field = [...literals[0]?.keys() ?? []].find((name) => literals.every((each) => each.has(name)));
  if (field === undefined) return { schema };
  const value: unknown = Object.hasOwn(body, field) ? Reflect.get(body, field) : undefined;
  const meant = schema.anyOf.find((_alternative, index) => literals[index]?.get(field) === value);
  if (meant !== undefined) return { schema: meant };
  return { field, values: literals.flatMap((each) => each.get(field) ?? []) };
}

/** The text literals of an object's fields. */
function literalsOf(schema: TSchema): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!KindGuard.IsObject(schema)) return found;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (KindGuard.IsLiteral(property) && typeof property.const === "string") found.set(name, property.const);
  }
  return found;
}
