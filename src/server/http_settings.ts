/** What the edge does with every request, whatever its route. */
export interface HttpSettings {
  /** Origins (`https://app.example`) whose pages may use the API; `*`: any. Empty: none, and no CORS header is ever sent. */
  readonly corsOrigins: readonly string[];
  /** Share of requests that get a line in the log, 0 to 1; those that failed here (5xx) always do unless it is 0. */
  readonly accessLog: number;
  /** Whether answers say in `Server-Timing` how long they took. */
  readonly serverTiming: boolean;
  /** Requests under way; more are refused with 503. */
  readonly maxRequests: number;
  /** Requests under way that wait on purpose (`Prefer: wait`); more are refused with 503. */
  readonly maxWaiting: number;
  /** How long reading may take before a GET is answered 503. */
  readonly readMs: number;
  /** Of a request's address; longer is 414. */
  readonly urlLength: number;
  /** Of all of a request's headers, names and values; larger is 431. */
  readonly headerBytes: number;
}

/** The settings where nothing else is said. */
export const DEFAULT_HTTP: HttpSettings = {
  corsOrigins: [],
  accessLog: 0,
  serverTiming: false,
  maxRequests: 2_000,
  maxWaiting: 10_000,
  readMs: 10_000,
  urlLength: 16_384,
  headerBytes: 32_768,
};
