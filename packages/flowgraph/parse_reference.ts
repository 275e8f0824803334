/** A reference's text in parts: `nodes.a.items.0` is root `nodes`, path `["a", "items", "0"]`. */
export interface ParsedReference {
  /** `nodes`, `status`, `errors`, `input`, or the name a Map or Loop binds with `as`. */
  readonly root: string;
  readonly path: readonly string[];
}

/** Longest text of one reference. */
export const MAX_REFERENCE_LENGTH = 1024;

const SEGMENT = /\.([^.[\]"\s]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
const PLAIN = /^[^.[\]"\s]+$/;
const cache = new Map<string, ParsedReference>();

/**
 * Parses `root.segment.segment…`. A segment that holds a dot, bracket, quote or space is written `["like.this"]`; an array
 * index `.0` or `[0]`. Gives null when the text is not a reference.
 */
export function parseReference(text: string): ParsedReference | null {
  const known = cache.get(text);
  if (known) return known;
  const root = /^[A-Za-z_][A-Za-z0-9_-]*/.exec(text)?.[0];
  if (!root || text.length > MAX_REFERENCE_LENGTH) return null;
  const path: string[] = [];
  SEGMENT.lastIndex = root.length;
  while (SEGMENT.lastIndex < text.length) {
    const match = SEGMENT.exec(text);
    if (!match) return null;
    const segment = match[1] ?? match[2] ?? unquote(match[3]);
    if (segment === null) return null;
    path.push(segment);
  }
  const parsed: ParsedReference = Object.freeze({ root, path: Object.freeze(path) });
  if (cache.size >= 10_000) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

/** The text of `parent` with one more segment. */
export function appendSegment(parent: string, segment: string): string {
  return PLAIN.test(segment) ? `${parent}.${segment}` : `${parent}[${JSON.stringify(segment)}]`;
}

/** Follows own properties only, never the prototype's. Whatever is missing on the way is null. */
export function walkPath(value: unknown, path: readonly string[], from = 0): unknown {
  let current = value;
  for (let i = from; i < path.length; i++) {
    const segment = path[i];
    if (typeof current !== "object" || current === null || segment === undefined) return null;
    if (!Object.hasOwn(current, segment)) return null;
    current = Reflect.get(current, segment);
  }
  return current ?? null;
}

/**
 * The value a reference stands for. `scope` holds the roots: `{input, nodes, status, errors, <as>: …}`.
 * Null for what is missing and for text that is not a reference.
 */
export function resolveReference(text: string, scope: object): unknown {
  const parsed = parseReference(text);
  if (!parsed || !Object.hasOwn(scope, parsed.root)) return null;
  return walkPath(Reflect.get(scope, parsed.root), parsed.path);
}

function unquote(quoted: string | undefined): string | null {
  try {
    const value: unknown = JSON.parse(quoted ?? "");
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
