import type { AccessControl } from "../operation_spec.ts";

/** How a service knows us. */
export interface OpenAPIAuth {
  /**
   * `bearer`: `Authorization: Bearer <token>`. `basic`: `Authorization: Basic <token>`, the token being `user:password` or
   * that in base64. `apiKey`: `X-API-Key: <token>`.
   */
  readonly type: "bearer" | "apiKey" | "basic";
  readonly token?: string;
  /** Instead of `Authorization` or `X-API-Key`. */
  readonly headerName?: string;
  /** Before the token, instead of `Bearer`, `Basic` or nothing. */
  readonly prefix?: string;
}

/** How a service's operations are called here, and reached there. */
export interface OpenAPIConfig {
  /** Of the operations. */
  readonly namespace: string;
  /** What paths are appended to. The document's own `servers` are not read. */
  readonly baseUrl: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: OpenAPIAuth;
  /** Ms until an answer must be here; of a stream, until it must have begun. Default: as long as it takes. */
  readonly timeout?: number;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** What callers must hold. Default: nothing. */
  readonly accessControl?: AccessControl;
  /** Reads the text of a document, for those in YAML. Default: `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
  /** Told about parts of the document that cannot be used, and what is done instead. Default: nobody is. */
  readonly warn?: (message: string) => void;
}

/** As the auth says; nothing without a token. */
export function authHeaders(auth: OpenAPIAuth | undefined): Record<string, string> {
  if (auth?.token === undefined) return {};
  const { type, token, headerName, prefix } = auth;
  switch (type) {
    case "bearer":
      return { [headerName ?? "Authorization"]: join(prefix ?? "Bearer", token) };
    case "basic":
      return { [headerName ?? "Authorization"]: join(prefix ?? "Basic", token.includes(":") ? base64(token) : token) };
    case "apiKey":
      return { [headerName ?? "X-API-Key"]: join(prefix ?? "", token) };
  }
}

/** A prefix that is a word stands apart from the token; one like `key=` does not. */
function join(prefix: string, token: string): string {
  return /\w$/.test(prefix) ? `${prefix} ${token}` : `${prefix}${token}`;
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
