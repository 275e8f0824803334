import { type TNull, type TSchema, type TUnion, Type } from "@alkdev/typebox";

/** The schema's values and null. In a task, null is a field that was unset by hand (`risk:` in YAML), as against an absent one. */
export function Nullable<T extends TSchema>(schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()]);
}
