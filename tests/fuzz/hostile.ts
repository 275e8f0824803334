/** Values that a careless server trips over, and ways to put them into one that it expects. */
import fc from "fast-check";

/** Stands in a value for what no JSON value can say; {@linkcode toJsonText} writes it as it is. */
const RAW_MARK = "\u{10FFFD}raw:";

function raw(text: string): string {
  return `${RAW_MARK}${text}`;
}

const NUMBERS: readonly unknown[] = [
  0,
  -0,
  -1,
  1.5,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 63),
  2 ** 63,
  1e21,
  Number.MAX_VALUE,
  5e-324,
  8.64e15,
  8.64e15 + 1,
  ...["1e999", "-1e999", "9223372036854775808", "-0", "0.1e-400"].map(raw),
];

/** Object properties that every JavaScript object already has, in one way or another. */
export const PROTOTYPE_KEYS: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
];

export const HOSTILE_TEXTS: readonly string[] = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff\ud800",
  "\ufeff",
  "\u202e",
  "e\u0301\u0301\u0301",
  "\r\nx-injected: 1",
  "\n",
  "\\",
  "'; DROP TABLE runs; --",
  "%",
  "%_%",
  "%00",
  "../../../etc/passwd",
  "..%2f..%2f",
  "file:///etc/passwd",
  "http://169.254.169.254/latest/meta-data",
  "${jndi:ldap://x}",
  "{{constructor.constructor('return 1')()}}",
  "<script>alert(1)</script>",
  "NaN",
  "null",
  "[object Object]",
  "a".repeat(257),
  "a".repeat(10_000),
  "é".repeat(5_000),
  "(a+)+$",
  "((((((((((a*)*)*)*)*)*)*)*)*)*)*b",
  "*".repeat(300),
  "2026-02-30T25:61:61Z",
  "+275760-09-13T00:00:00.001Z",
  "00000000-0000-0000-0000-000000000000",
  ...PROTOTYPE_KEYS,
];

/** Text of any kind. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: "binary", maxLength: 24 }),
  fc.string({ unit: "grapheme", maxLength: 24 }),
);

/** Any JSON, most of it small, some of it deep or wide. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null], { "": null }), weight: 3 },
  { arbitrary: fc.constantFrom(...NUMBERS), weight: 4 },
  { arbitrary: hostileText, weight: 4 },
  { arbitrary: fc.constantFrom(...PROTOTYPE_KEYS).chain((key) => fc.constant(withKey({}, key, { x: 1 }))), weight: 2 },
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 2 },
  {
    arbitrary: fc.constantFrom(
      ...[10, 60, 70, 500, 20_000].map((depth) => raw(`${"[".repeat(depth)}1${"]".repeat(depth)}`)),
    ),
    weight: 1,
  },
  { arbitrary: fc.constantFrom(1_000, 20_000).map((length) => new Array(length).fill(0)), weight: 1 },
  { arbitrary: fc.constant(raw(`"${"x".repeat(300_000)}"`)), weight: 1 },
);

interface Mutation {
  readonly kind: "replace" | "remove" | "add" | "wrap" | "repeat";
  /** Which place of the value, counted through all, modulo their number. */
  readonly at: number;
  readonly key: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("replace", "replace", "replace", "remove", "add", "wrap", "repeat"),
  at: fc.nat({ max: 200 }),
  key: fc.oneof(fc.constantFrom(...PROTOTYPE_KEYS), hostileText),
  value: hostileValue,
});

/** A value of `base` with one to three things wrong with it. */
export function mutated(base: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(base, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => changes.reduce(mutate, value));
}

/** JSON text, also of what `JSON.stringify` has no form for. */
export function toJsonText(value: unknown): string {
  return unmark(JSON.stringify(value) ?? "null");
}

function unmark(text: string): string {
  return text.replaceAll(
    new RegExp(`"${RAW_MARK}((?:[^"\\\\]|\\\\.)*)"`, "gu"),
    (_, inner) => JSON.parse(`"${inner}"`),
  );
}

function mutate(value: unknown, change: Mutation): unknown {
  const count = countPlaces(value);
  let left = change.at % count;
  const visit = (here: unknown): unknown => {
    if (left-- === 0) return apply(here, change);
    if (left < 0) return here;
    if (Array.isArray(here)) return here.map(visit);
    if (!isRecord(here)) return here;
    return Object.fromEntries(
      Object.entries(here).flatMap(([key, child]) => {
        const isHere = left === 0;
        const changed = visit(child);
        return isHere && change.kind === "remove" ? [] : [[key, changed]];
      }),
    );
  };
  return visit(value);
}

function apply(value: unknown, { kind, key, value: other }: Mutation): unknown {
  if (kind === "add" && isRecord(value)) return withKey(value, key, other);
  if (kind === "wrap") return [value];
  if (kind === "repeat" && Array.isArray(value)) return [...value, ...value];
  if (kind === "remove") return null;
  return other;
}

/** `key` as the object's own, whatever it is called. */
function withKey(object: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  return Object.fromEntries([...Object.entries(object), [key, value]]);
}

function countPlaces(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, child) => sum + countPlaces(child), 0);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
