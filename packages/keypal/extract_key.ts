/** Headers of either shape; names of the record shape are compared without case. */
export type HeadersLike = Headers | Readonly<Record<string, string | undefined>>;

/** Where a key is looked for. */
export interface ExtractOptions {
  /** In order of preference; default `authorization`, `x-api-key`. */
  readonly headerNames?: readonly string[];
  /** Whether `authorization: Bearer <key>` is unwrapped; default true. */
  readonly extractBearer?: boolean;
}

const DEFAULT_NAMES: readonly string[] = ["authorization", "x-api-key"];
const BEARER = /^bearer +/i;

/** The plain key in the headers, trimmed; null when none of them has one. */
export function extractKeyFromHeaders(headers: HeadersLike, options: ExtractOptions = {}): string | null {
  const { headerNames = DEFAULT_NAMES, extractBearer = true } = options;
  for (const name of headerNames) {
    const value = readHeader(headers, name)?.trim();
    if (value === undefined || value === "") continue;
    const key = extractBearer ? value.replace(BEARER, "") : value;
    // "Bearer" with nothing after it, or another scheme, is no key.
    if (key === "" || /^(bearer|basic|digest)\b/i.test(key) && !BEARER.test(value)) continue;
    return key.trim();
  }
  return null;
}

/** Whether the headers have a key. */
export function hasApiKey(headers: HeadersLike, options: ExtractOptions = {}): boolean {
  return extractKeyFromHeaders(headers, options) !== null;
}

function readHeader(headers: HeadersLike, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const exact = headers[name];
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === wanted) return value;
  }
  return undefined;
}
