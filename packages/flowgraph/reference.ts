import { appendSegment } from "./parse_reference.ts";
import type { Reference } from "./plan.ts";

const REFERENCE: unique symbol = Symbol.for("@alkdev/flowgraph.reference");

interface Marked extends Reference {
  readonly [REFERENCE]: string;
}

/** A reference of unknown type: every property is a reference too. */
export type OpenRef = Marked & {
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
  : T extends readonly (infer Item)[] ? Marked & { readonly [index: number]: Ref<Item> }
  : T extends object ? Marked & { readonly [Key in keyof T & string]-?: Ref<NonNullable<T[Key]>> }
  : Marked;

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

/** The item of the enclosing Map, or the index of the enclosing Loop's turn, that `as` names. */
export function itemRef<T = unknown>(as: string): Ref<T> {
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
