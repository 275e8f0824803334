const EXPOSED = "etag, location, preference-applied, retry-after, server-timing, x-request-id, mcp-session-id";
const ALLOWED_HEADERS = "accept, authorization, content-type, idempotency-key, if-none-match, last-event-id, " +
  "mcp-protocol-version, mcp-session-id, prefer, traceparent, x-api-key, x-request-id";
/** Seconds that a browser remembers what a preflight said. */
const MAX_AGE = "600";

/** Lets pages of some origins use the API. Keys are sent by hand, never by the browser itself: credentials are not allowed. */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
    this.#any = this.#origins.has("*");
  }

  /** False: this hub speaks to no page, and nothing here needs to be asked. */
  get isOn(): boolean {
    return this.#origins.size > 0;
  }

  /** Whether a page of this origin may use the API. */
  allows(origin: string): boolean {
    return this.#any || this.#origins.has(origin.toLowerCase());
  }

  /** Says in an answer who may read it. A page of another origin is told nothing, so its browser hides the answer. */
  describe(request: Request, response: Response): void {
    const { headers } = response;
    headers.append("vary", "origin");
    const origin = request.headers.get("origin");
    if (origin === null || !this.allows(origin)) return;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", EXPOSED);
  }

  /** Adds what a preflight asks for. */
  preflight(methods: readonly string[], headers: Headers): void {
    headers.set("access-control-allow-methods", methods.join(", "));
    headers.set("access-control-allow-headers", ALLOWED_HEADERS);
    headers.set("access-control-max-age", MAX_AGE);
  }
}
