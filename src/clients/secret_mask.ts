import { CallError } from "@alkdev/operations";

/** Shorter ones would be found in innocent text. */
const MIN_LENGTH = 6;
const MAX_DEPTH = 200;
const MASKED = "[redacted]";

/** Takes a client's secrets out of whatever its server says: servers repeat what they are sent more often than one thinks. */
export class SecretMask {
  readonly #values: readonly string[];

  constructor(secrets: Iterable<string>) {
    const all = [...secrets].flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret)]);
    // Longest first: one may be part of another.
    this.#values = [...new Set(all)].filter(({ length }) => length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
  }

  text(text: string): string {
    let masked = text;
    for (const value of this.#values) if (masked.includes(value)) masked = masked.replaceAll(value, MASKED);
    return masked;
  }

  /** The value itself where it holds no secret. */
  json<T>(value: T): T {
    // Nothing but texts change, and the names of fields.
    return this.#values.length === 0 ? value : this.#walk(value, 0) as T;
  }

  error(error: CallError): CallError {
    const { code, message, details } = error;
    if (this.#values.length === 0) return error;
    // Without the cause: it is where the request is, and with it its headers.
    return new CallError(code, this.text(message), this.json(details));
  }

  #walk(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth === MAX_DEPTH) throw new CallError("EXECUTION_ERROR", `The answer nests more than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#walk(item, depth + 1));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    let changed = false;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
      const entry: [string, unknown] = [this.text(key), this.#walk(item, depth + 1)];
      changed ||= entry[0] !== key || entry[1] !== item;
      return entry;
    });
    return changed ? Object.fromEntries(entries) : value;
  }
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
