import { type TInteger, type TObject, type TOptional, type TString, Type } from "@alkdev/typebox";

/** A name or id in a path. No control characters: databases refuse some of them, and none has a use. */
export const Name: TString = Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" });

/** Text to search for. */
export const SearchText: TString = Type.String({ maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" });

export const IdParams: TObject<{ id: TString }> = Type.Object({ id: Name });
export const NameParams: TObject<{ name: TString }> = Type.Object({ name: Name });

/** `limit` of lists. */
export const Limit: TInteger = Type.Integer({ minimum: 1, maximum: 1000, default: 50 });
/** `cursor` of lists. */
export const Cursor: TOptional<TString> = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1024,
    pattern: "^[^\\x00-\\x1f\\x7f]*$",
    description: "nextCursor of the page before",
  }),
);

/** Query of a plain list. */
export const PageQuery: TObject<{ limit: TInteger; cursor: TOptional<TString> }> = Type.Object({
  limit: Limit,
  cursor: Cursor,
});

/** The last ms of the year 9999, since the epoch: the last that databases and people read in the same way. */
export const LAST_INSTANT = 253_402_300_799_999;

/** A point in time in a request. `what` comes after "Ms since the epoch". */
export function instant(what = ""): TInteger {
  return Type.Integer({ minimum: 0, maximum: LAST_INSTANT, description: `Ms since the epoch${what}` });
}

/** The last seq that a log can hold. */
export const LAST_SEQ: number = 2 ** 31 - 1;

/** Seq of an event: 0 is before the first. */
export const Seq: TInteger = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
