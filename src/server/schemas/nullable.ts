import { type TNull, type TSchema, type TUnion, Type } from "@alkdev/typebox";

/** The schema, or null. */
export function nullable<T extends TSchema>(schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()]);
}

/** A page of items. */
export function pageOf(item: TSchema): TSchema {
  return Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
}
