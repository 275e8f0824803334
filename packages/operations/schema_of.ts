import { type Static, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";

/** TypeBox infers mutable types, our interfaces are readonly: that is the one difference allowed between them. */
type Mutable<T> = T extends TSchema ? TSchema
  : T extends readonly (infer TItem)[] ? Mutable<TItem>[]
  : T extends object ? { -readonly [TKey in keyof T]: Mutable<T[TKey]> }
  : T;

type Agrees<TLeft, TRight> = [Mutable<TLeft>] extends [Mutable<TRight>]
  ? [Mutable<TRight>] extends [Mutable<TLeft>] ? unknown : { readonly "schema and type differ": [TLeft, TRight] }
  : { readonly "schema and type differ": [TLeft, TRight] };

/** `schemaOf<T>()(schema)` gives the schema the static type `T`, and does not compile unless they agree. */
export function schemaOf<T>(): <TActual extends TSchema>(
  schema: TActual & Agrees<Static<TActual>, T>,
) => TUnsafe<T> {
  return (schema) => Type.Unsafe<T>(schema);
}
