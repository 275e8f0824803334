import { CallError } from "@alkdev/operations";
import type { Auth } from "../auth/mod.ts";
import { AccessLog, type AccessSink } from "./access_log.ts";
import type { Admission } from "./admission.ts";
import { Cors } from "./cors.ts";
import { errorResponse } from "./error_response.ts";
import type { HttpSettings } from "./http_settings.ts";
import type { ServerLog } from "./ports.ts";
import { requestIdOf } from "./request_id.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** What the front stands on. */
export interface FrontOptions {
  readonly http: HttpSettings;
  readonly admission: Admission;
  readonly auth: Auth;
  readonly log: ServerLog;
  readonly accessSink: AccessSink | undefined;
  /** Methods of a path; none: nothing is there. */
  allowed(path: string): readonly string[];
  /** What answers once a request is let through. */
  readonly handle: Handler;
}

/** Asked for by those who look whether a hub is well: never refused for want of room. */
const PROBE = /^[a-z]+:\/\/[^/]*\/(?:health|ready|metrics)(?:\?|$)/;

/**
 * What is the same for every request, whatever its route: limits, room, CORS, OPTIONS and HEAD before it; the log and the
 * answer's own headers after it. A step that is not configured costs a check.
 */
export function createFront(options: FrontOptions): Handler {
  const front = new Front(options);
  return (request) => front.answer(request);
}

class Front {
  readonly #options: FrontOptions;
  readonly #cors: Cors;
  readonly #accessLog: AccessLog | null;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#cors = new Cors(options.http.corsOrigins);
    const { accessSink, http } = options;
    this.#accessLog = accessSink === undefined || http.accessLog === 0
      ? null
      : new AccessLog(http.accessLog, accessSink);
  }

  async answer(request: Request): Promise<Response> {
    const since = performance.now();
    const { log, http } = this.#options;
    let response: Response;
    try {
      assertSize(request, http);
      response = request.method === "OPTIONS" ? await this.#optionsOf(request) : await this.#admitted(request);
    } catch (error) {
      response = errorResponse(error, request, log);
    }
    const ms = performance.now() - since;
    // The runtime's own answer to an upgrade takes no more headers.
    if (response.status !== 101) {
      if (this.#cors.isOn) this.#cors.describe(request, response);
      if (http.serverTiming) response.headers.set("server-timing", `total;dur=${ms.toFixed(1)}`);
    }
    if (this.#accessLog !== null) this.#log(this.#accessLog, request, response, ms);
    return response;
  }

  async #admitted(request: Request): Promise<Response> {
    const { admission, handle } = this.#options;
    const waits = request.headers.has("prefer");
    try {
      admission.enter(waits);
    } catch (error) {
      if (PROBE.test(request.url)) return await handle(request);
      throw error;
    }
    try {
      return await (request.method === "HEAD" ? headOf(request, handle) : handle(request));
    } finally {
      admission.leave(waits);
    }
  }

  /** What a path takes; of a browser that asks for a page of another origin, also whether it may. */
  async #optionsOf(request: Request): Promise<Response> {
    const { headers, url } = request;
    const methods = this.#options.allowed(new URL(url).pathname);
    if (methods.length === 0) return await this.#admitted(request);
    const answer = new Headers({ allow: [...methods, "OPTIONS"].join(", "), "x-request-id": requestIdOf(headers) });
    const origin = headers.get("origin");
    const isPreflight = origin !== null && headers.has("access-control-request-method");
    if (isPreflight && this.#cors.isOn && this.#cors.allows(origin)) this.#cors.preflight(methods, answer);
    return new Response(null, { status: 204, headers: answer });
  }

  #log(accessLog: AccessLog, { headers, method, url }: Request, response: Response, ms: number): void {
    const principal = this.#options.auth.remembered(headers);
    accessLog.add({
      requestId: response.headers.get("x-request-id"),
      method,
      path: new URL(url).pathname.slice(0, 1024),
      status: response.status,
      ms: Math.round(ms * 10) / 10,
      orgId: principal?.orgId ?? null,
      keyId: principal?.keyId ?? null,
    });
  }
}

/** The answer to GET without its body. Cancels the body: an event stream would else go on with nobody to read it. */
async function headOf(request: Request, handle: Handler): Promise<Response> {
  const response = await handle(new Request(request, { method: "GET" }));
  await response.body?.cancel();
  return new Response(null, response);
}

/** @throws {CallError} `URI_TOO_LONG`, `HEADERS_TOO_LARGE` */
function assertSize({ url, headers }: Request, { urlLength, headerBytes }: HttpSettings): void {
  if (url.length > urlLength) {
    throw new CallError("URI_TOO_LONG", `The address is ${url.length} characters long: wanted at most ${urlLength}`);
  }
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length;
  if (bytes <= headerBytes) return;
  throw new CallError("HEADERS_TOO_LARGE", `The headers are ${bytes} bytes long: wanted at most ${headerBytes}`);
}
