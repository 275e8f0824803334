import { RE2JS } from "re2js";

/** A regular expression whose time grows with the text alone, never with how the two fit together. */
export interface LinearPattern {
  readonly source: string;
  /** The longest text it is matched with, in UTF-16 units: the larger the pattern, the shorter. */
  readonly longest: number;
  /** What a character can cost, in steps of some 50 ns. */
  readonly cost: number;
  /** Whether it matches anywhere in the text. False for a text past `longest`. */
  test(text: string): boolean;
}

/** A pattern that cannot be read, or not be matched in linear time. The message starts with the reason. */
export class PatternError extends Error {
  override readonly name: string = "PatternError";
}

const MAX_LENGTH = 4_096;
/** RE2 instructions. */
const MAX_SIZE = 1_000;
/** Instructions times UTF-16 units. The slowest pattern found needs 200 ns for one, `^[a-z]+$` 10 ns. */
const MAX_WORK = 8_000_000;
const MAX_KNOWN = 1_000;
const known = new Map<string, LinearPattern>();

/**
 * Reads a pattern that comes from outside. It is RE2's syntax with JavaScript's spellings (`\uXXXX`, `(?<name>…)`, `[^]`):
 * look-around and back references are not in it, a count goes to 1,000, and `\d`, `\w`, `\s` and `\b` are ASCII. The 1,000 last
 * new ones are kept.
 *
 * @throws {PatternError}
 */
export function linearPattern(source: string): LinearPattern {
  const found = known.get(source);
  if (found !== undefined) return found;
  const pattern = compile(source);
  if (known.size >= MAX_KNOWN) {
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  }
  known.set(source, pattern);
  return pattern;
}

function compile(source: string): LinearPattern {
  if (source.length > MAX_LENGTH) {
    throw new PatternError(`it is ${source.length} characters long, the most is ${MAX_LENGTH}`);
  }
  const reason = unsupported(source);
  if (reason !== null) throw new PatternError(reason);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    throw new PatternError(said, { cause: error });
  }
  const size = compiled.programSize();
  if (size > MAX_SIZE) {
    throw new PatternError(`it is too large once its counts are written out: ${size} steps, the most is ${MAX_SIZE}`);
  }
  const longest = Math.floor(MAX_WORK / size);
  return { source, longest, cost: size / 8, test: (text) => text.length <= longest && compiled.test(text) };
}

/** What people write most of what cannot be matched in linear time. */
function unsupported(source: string): string | null {
  const classless = source.replaceAll(/\\[^1-9k]|\[(?:\\.|[^\]\\])*\]/gs, "");
  if (/\(\?<?[=!]/.test(classless)) return "it has a look-around, which cannot be matched in linear time";
  if (/\\(?:[1-9]|k<)/.test(classless)) return "it has a back reference, which cannot be matched in linear time";
  return null;
}
