import { lookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import { exchange } from "./exchange.ts";
import { HostList } from "./host_list.ts";
import { KeptConnections } from "./kept_connections.ts";
import { refusedAddress } from "./refused_address.ts";
import { readRequestBody, type RequestBody } from "./request_body.ts";
import { type BodyWatch, isCompressed, responseBody } from "./response_body.ts";

/** Addresses of a name, in the order in which they should be tried. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

/** What {@linkcode createEgress} works with. */
export interface EgressOptions {
  readonly clock: Clock;
  /** The only hosts that can be reached, as `host` (the scheme's own port) or `host:port`; null or absent: any public one. */
  readonly allowHosts?: readonly string[] | null;
  /** Hosts, in the same form, that may have private or loopback addresses. Default: none. */
  readonly allowPrivate?: readonly string[];
  /** Default: the system's, `/etc/hosts` included. */
  readonly resolve?: ResolveHost;
}

/** What one request may do, within what the hub may. */
export interface EgressPolicy {
  /** Narrows `allowHosts` of the hub. */
  readonly allowHosts?: readonly string[];
  /** Beside `allowPrivate` of the hub: for hosts that an administrator named, never for what a caller says. */
  readonly allowPrivate?: readonly string[];
  /** Default 5; 0 gives redirects back as they are. */
  readonly maxRedirects?: number;
  /** Redirects only to the first host. Default false. */
  readonly sameHost?: boolean;
  /** Of the response's body, as it comes and after decompression. Default 10 MiB. */
  readonly maxBytes?: number;
  /** Until the response's headers, redirects included. Default 30,000. */
  readonly timeoutMs?: number;
  /** Longest silence in the body. Default 30,000. */
  readonly idleMs?: number;
  /** The whole of it, body included. Default: no limit beside the others. */
  readonly totalMs?: number;
  /** Keeps the connection for later requests to the same address, for callers that come back all the time. Default false. */
  readonly keepAlive?: boolean;
}

/** The guarded way out. */
export interface Egress {
  /**
   * As the global `fetch`, but for these: it connects only to addresses that were checked, sets `accept-encoding` itself, and
   * sends no headers but harmless ones on to another origin. The body comes decompressed. Aborted by the request's signal.
   *
   * @throws {CallError} `EGRESS_DENIED` (`details: {host, reason}`), `TIMEOUT`, `RESPONSE_TOO_LARGE` (also while the body is
   * read), `EXECUTION_ERROR` when the connection fails; the signal's reason when it is aborted
   */
  fetch(request: Request, policy?: EgressPolicy): Promise<Response>;
  /** The same in the form that libraries take. */
  bound(policy?: EgressPolicy): typeof fetch;
  /** Ends the connections that were kept. */
  close(): void;
}

const DEFAULTS = { maxRedirects: 5, maxBytes: 10 * 1024 * 1024, timeoutMs: 30_000, idleMs: 30_000 } as const;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
/** Headers that say nothing of who asks: the only ones that another origin gets. */
const HARMLESS: ReadonlySet<string> = new Set(["accept", "accept-language", "content-type", "user-agent"]);
const OWN_HEADERS = [
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
];

/** Makes the guarded way out. */
export function createEgress(options: EgressOptions): Egress {
  const egress = new GuardedEgress(options);
  return {
    fetch: (request, policy) => egress.fetch(request, policy),
    bound: (policy) => (input, init) => egress.fetch(new Request(input, init), policy),
    close: () => egress.connections.close(),
  };
}

interface Step {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: RequestBody | null;
}

class GuardedEgress {
  readonly #clock: Clock;
  readonly #allowHosts: HostList | null;
  readonly #allowPrivate: HostList;
  readonly #resolve: ResolveHost;
  readonly connections: KeptConnections = new KeptConnections();

  constructor({ clock, allowHosts = null, allowPrivate = [], resolve = resolveBySystem }: EgressOptions) {
    this.#clock = clock;
    this.#allowHosts = allowHosts === null ? null : new HostList(allowHosts);
    this.#allowPrivate = new HostList(allowPrivate);
    this.#resolve = resolve;
  }

  async fetch(request: Request, policy: EgressPolicy = {}): Promise<Response> {
    const limits = { ...DEFAULTS, ...policy };
    const stop = new AbortController();
    const onAbort = () => stop.abort(request.signal.reason);
    request.signal.throwIfAborted();
    request.signal.addEventListener("abort", onAbort, { once: true });
    const timers = new Timers(this.#clock, stop, request.url);
    if (limits.totalMs !== undefined) timers.start("total", limits.totalMs);
    timers.start("headers", limits.timeoutMs);
    const end = () => {
      timers.clear();
      request.signal.removeEventListener("abort", onAbort);
    };
    try {
      const { message, url, method } = await this.#follow(request, policy, limits.maxRedirects, stop.signal);
      timers.clear("headers");
      timers.start("idle", limits.idleMs);
      return toResponse({ message, url, isHead: method === "HEAD" }, {
        url: url.href,
        maxBytes: limits.maxBytes,
        signal: stop.signal,
        onChunk: () => timers.start("idle", limits.idleMs),
        onEnd: end,
      });
    } catch (error) {
      end();
      if (stop.signal.aborted) throw stop.signal.reason;
      if (error instanceof CallError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new CallError("EXECUTION_ERROR", `Request to "${withoutQuery(request.url)}" failed: ${reason}`, undefined, {
        cause: error,
      });
    }
  }

  async #follow(
    request: Request,
    policy: EgressPolicy,
    maxRedirects: number,
    signal: AbortSignal,
  ): Promise<{ readonly message: IncomingMessage; readonly url: URL; readonly method: string }> {
    const first = new URL(request.url);
    const headers = new Headers(request.headers);
    for (const name of OWN_HEADERS) headers.delete(name);
    headers.set("accept-encoding", "gzip, deflate, br");
    if (!headers.has("accept")) headers.set("accept", "*/*");
    let step: Step = { url: first, method: request.method, headers, body: null };
    // The address is checked before a byte of the body is read.
    let addresses = await this.#check(step.url, policy, signal);
    step = { ...step, body: await raced(readRequestBody(request), signal) };
    for (let redirects = 0;; redirects++) {
      const connections = policy.keepAlive === true
        ? (address: string) => this.connections.of(step.url.protocol, address)
        : undefined;
      const message = await exchange({ ...step, addresses, signal, ...(connections !== undefined && { connections }) });
      const location = REDIRECTS.has(message.statusCode ?? 0) ? message.headers.location : undefined;
      if (location === undefined || maxRedirects === 0) return { message, url: step.url, method: step.method };
      message.destroy();
      if (redirects === maxRedirects) {
        const from = withoutQuery(first.href);
        throw new CallError("EXECUTION_ERROR", `"${from}" redirects more than ${maxRedirects} times`);
      }
      step = redirected(step, location, message.statusCode ?? 0);
      if (policy.sameHost === true && step.url.host !== first.host) {
        throw denied(step.url, "other-host", `a redirect from "${first.host}" may not leave it`);
      }
      addresses = await this.#check(step.url, policy, signal);
    }
  }

  /** The addresses that may be connected to. @throws {CallError} `EGRESS_DENIED` */
  async #check(url: URL, policy: EgressPolicy, signal: AbortSignal): Promise<readonly string[]> {
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw denied(url, "scheme", `its scheme is "${url.protocol}": wanted http or https`);
    }
    if (url.username !== "" || url.password !== "") {
      throw denied(url, "credentials", "the URL holds credentials: wanted them in a header");
    }
    const isListed = (this.#allowHosts?.has(url) ?? true) &&
      (policy.allowHosts === undefined || new HostList(policy.allowHosts).has(url));
    if (!isListed) throw denied(url, "not-listed", "wanted one of the hosts in the hub's configuration");
    const name = url.hostname.replace(/^\[|\]$/g, "");
    const addresses = isIP(name) !== 0 ? [name] : await raced(this.#resolve(name), signal);
    if (this.#allowPrivate.has(url) || new HostList(policy.allowPrivate ?? []).has(url)) return addresses;
    for (const address of addresses) {
      const why = refusedAddress(address);
      // The address is not told: it would draw a map of the network for whoever may choose the name.
      if (why !== null) throw denied(url, "address", `its address is ${why}`);
    }
    return addresses;
  }
}

function redirected({ url: from, method, headers, body }: Step, location: string, status: number): Step {
  if (!URL.canParse(location, from)) {
    throw new CallError("EXECUTION_ERROR", `"${withoutQuery(from.href)}" redirects to what is no URL`);
  }
  const url = new URL(location, from);
  url.hash = "";
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw denied(url, "downgrade", `a redirect from https to http is not followed`);
  }
  const kept = url.origin === from.origin
    ? headers
    : new Headers([...headers].filter(([name]) => HARMLESS.has(name) || name === "accept-encoding"));
  const becomesGet = status === 303 && method !== "HEAD" || status < 303 && method === "POST";
  if (becomesGet) {
    const bare = new Headers(kept);
    bare.delete("content-type");
    return { url, method: "GET", headers: bare, body: null };
  }
  if (body !== null && body.rest !== null) {
    throw new CallError("EXECUTION_ERROR", `"${withoutQuery(from.href)}" redirects a body too long to be sent again`);
  }
  return { url, method, headers: kept, body };
}

function toResponse(
  { message, url, isHead }: { readonly message: IncomingMessage; readonly url: URL; readonly isHead: boolean },
  watch: BodyWatch,
): Response {
  const headers = new Headers();
  const compressed = isCompressed(message);
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = (message.rawHeaders[at] ?? "").toLowerCase();
    if (compressed && (name === "content-encoding" || name === "content-length")) continue;
    headers.append(name, message.rawHeaders[at + 1] ?? "");
  }
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599) {
    message.destroy();
    throw new Error(`status ${status} is no answer`);
  }
  const body = isHead || BODILESS.has(status) ? null : responseBody(message, watch);
  if (body === null) {
    message.destroy();
    watch.onEnd();
  }
  const response = new Response(body, { status, statusText: message.statusMessage ?? "", headers });
  Object.defineProperty(response, "url", { value: url.href });
  return response;
}

/** One timer of each name; a timer that runs out aborts the request. */
class Timers {
  readonly #clock: Clock;
  readonly #stop: AbortController;
  readonly #url: string;
  readonly #cancels = new Map<string, () => void>();

  constructor(clock: Clock, stop: AbortController, url: string) {
    this.#clock = clock;
    this.#stop = stop;
    this.#url = withoutQuery(url);
  }

  start(name: "headers" | "idle" | "total", ms: number): void {
    this.#cancels.get(name)?.();
    const cancel = this.#clock.at(this.#clock.now() + ms, () => {
      const what = name === "idle" ? `was silent for ${ms} ms` : `did not answer within ${ms} ms`;
      this.#stop.abort(new CallError("TIMEOUT", `"${this.#url}" ${what}`));
    });
    this.#cancels.set(name, cancel);
  }

  clear(name?: "headers"): void {
    if (name !== undefined) return this.#cancels.get(name)?.();
    for (const cancel of this.#cancels.values()) cancel();
  }
}

function denied(url: URL, reason: string, message: string): CallError {
  return new CallError("EGRESS_DENIED", `Host "${url.host}" cannot be reached: ${message}`, { host: url.host, reason });
}

/** Queries hold secrets often enough. */
function withoutQuery(href: string): string {
  return href.split(/[?#]/)[0] ?? "";
}

/** Rejects with the signal's reason as soon as it is aborted. */
async function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true, verbatim: true });
  // IPv4 first: an address of the other family is tried where it does not connect.
  return found.sort((a, b) => a.family - b.family).map(({ address }) => address);
}
