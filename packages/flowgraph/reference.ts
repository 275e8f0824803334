import { appendSegment } from "./parse_reference.ts";
import type { Reference } from "./plan.ts";

const REFERENCE: unique symbol = Symbol.for("@alkdev/flowgraph.reference");

/** Exists for the type checker only: what the reference stands for. */
declare const VALUE: unique symbol;

interface Marked<T> extends Reference {
  readonly [REFERENCE]: string;
  readonly [VALUE]: T;
}

/** A reference that will do where a `T` is wanted: one to a `T`, one of unknown type, or one written by hand. */
export type ReferenceTo<T> = Reference & { readonly [VALUE]?: T };

/** A reference of unknown type: every property is a reference too. */
// deno-lint-ignore no-explicit-any -- it will do wherever any value is wanted
export type OpenRef = Marked<any> & {
  // `OpenRef` here would be `OpenRef | undefined` under noUncheckedIndexedAccess, and `ref("a").b.c` an error.
  // deno-lint-ignore no-explicit-any
  readonly [key: string]: any;
};

/**
 * Stands in a template for a value that a run will have, and serialises as `{"$ref": "…"}`. Its properties are references to
 * that value's properties. In a template string it is its own CEL text. `then` and `constructor` are no references: it is no promise, and
 * equal to the plain object it serialises as.
 */
export type Ref<T = unknown> = unknown extends T ? OpenRef
  : T extends readonly (infer Item)[] ? Marked<T> & RefItems<Ref<Item>>
  : T extends object ? Marked<T> & { readonly [Key in keyof T & string]-?: Ref<NonNullable<T[Key]>> }
  : Marked<T>;

/**
 * The first ten are named: under `noUncheckedIndexedAccess` an index signature alone would make `list[0]` possibly undefined,
 * which a reference never is.
 */
type RefItems<Item> =
  & { readonly [index: number]: Item; readonly length: Marked<number> }
  & { readonly [Index in 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9]: Item };

const handler: ProxyHandler<Reference> = {
  get(target, property) {
    if (property === "$ref" || property === REFERENCE) return target.$ref;
    if (property === Symbol.toPrimitive) return () => target.$ref;
    if (property === "toJSON") return () => ({ $ref: target.$ref });
    if (property === "constructor") return Object;
    if (typeof property === "symbol" || property === "then") return undefined;
    return referenceTo(appendSegment(target.$ref, property));
  },
  has: (target, property) => property === REFERENCE || property in target,
};

/** What the node with this key returned. Of a Map or Loop, or a node inside one seen from outside: an array. */
export function ref<T = unknown>(key: string): Ref<T> {
  return referenceTo<T>(appendSegment("nodes", key));
}

/** The run's input. */
export function inputRef<T = unknown>(): Ref<T> {
  return referenceTo<T>("input");
}

/** The run's input, untyped. */
export const $input: OpenRef = inputRef();

/**
 * The item of the enclosing Map, or the index of the enclosing Loop's turn, that `as` names. With `over`, the list that the Map
 * goes over, its type is that of the list's items.
 */
export function itemRef<T = unknown>(as: string, _over?: ReferenceTo<readonly T[]>): Ref<T> {
  return referenceTo<T>(as);
}

/** Status of the node with this key. */
export function statusRef(key: string): Ref<string> {
  return referenceTo<string>(appendSegment("status", key));
}

/** Error of the node with this key, or null. */
export function errorRef(key: string): Ref<{ code: string; message: string; details: unknown }> {
  return referenceTo<{ code: string; message: string; details: unknown }>(appendSegment("errors", key));
}

/** Is this `{"$ref": text}`, made by {@linkcode ref} or written by hand? */
export function isReference(value: unknown): value is Reference {
  if (typeof value !== "object" || value === null) return false;
  if (REFERENCE in value) return true;
  const keys = Reflect.ownKeys(value);
  return keys.length === 1 && keys[0] === "$ref" && typeof Reflect.get(value, "$ref") === "string";
}

function referenceTo<T>(text: string): Ref<T> {
  const target: Reference = Object.freeze({ $ref: text });
  // The proxy answers for every property, which no checker can follow; its shape is the contract of Ref.
  return new Proxy(target, handler) as unknown as Ref<T>;
}
