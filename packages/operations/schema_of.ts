import { type Static, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";

/**
 * The shape of a type, to compare: TypeBox infers mutable types where our interfaces are readonly, which is the one difference
 * allowed. Optional fields are marked, as a type without them would be assignable both ways.
 */
type Shape<T> = T extends TSchema ? TSchema
  : T extends readonly (infer TItem)[] ? Shape<TItem>[]
  : T extends object ? { -readonly [TKey in keyof T]-?: ShapeOfField<T, TKey> }
  : T;

type ShapeOfField<T, TKey extends keyof T> = Record<never, never> extends Pick<T, TKey>
  ? { readonly optional: Shape<Exclude<T[TKey], undefined>> }
  : Shape<T[TKey]>;

type Agrees<TLeft, TRight> = [Shape<TLeft>] extends [Shape<TRight>]
  ? [Shape<TRight>] extends [Shape<TLeft>] ? unknown : { readonly "schema and type differ": [TLeft, TRight] }
  : { readonly "schema and type differ": [TLeft, TRight] };

/** `schemaOf<T>()(schema)` gives the schema the static type `T`, and does not compile unless they agree. */
export function schemaOf<T>(): <TActual extends TSchema>(
  schema: TActual & Agrees<Static<TActual>, T>,
) => TUnsafe<T> {
  return (schema) => Type.Unsafe<T>(schema);
}
