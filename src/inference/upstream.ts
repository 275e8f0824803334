import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/mod.ts";
import type { Egress } from "../egress/mod.ts";
import { inferenceError, type OpenAiError, type RefusalDetails } from "./inference_error.ts";
import type { Candidate, ProviderHealth } from "./provider_health.ts";
import type { Wire, WireRequest } from "./wire.ts";

const DEFAULT_TIMEOUT_MS = 600_000;
const IDLE_MS = 300_000;
const MAX_ANSWER = 64 * 1024 * 1024;
const MAX_ERROR = 64 * 1024;

/** Why one attempt failed. */
export class AttemptFailed extends Error {
  readonly details: RefusalDetails;
  /** Whether another attempt may do better. */
  readonly mayRetry: boolean;
  /** Whether the provider may want money for it. */
  readonly mayCost: boolean;

  constructor(
    details: RefusalDetails,
    options: { readonly mayRetry: boolean; readonly mayCost?: boolean; readonly cause?: unknown },
  ) {
    super(details.error.message, { cause: options.cause });
    this.name = "AttemptFailed";
    this.details = details;
    this.mayRetry = options.mayRetry;
    this.mayCost = options.mayCost ?? false;
  }
}

export interface UpstreamOptions {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly health: ProviderHealth;
}

/** Sends one request to one provider; gives an answer that is `ok`. @throws {AttemptFailed}, or the signal's reason */
export class Upstream {
  readonly #options: UpstreamOptions;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  async send(
    orgId: string,
    candidate: Candidate,
    wire: Wire,
    make: (key: string) => WireRequest,
    signal: AbortSignal,
  ): Promise<Response> {
    const { health, clock } = this.#options;
    const { provider } = candidate;
    const key = health.key(orgId, provider);
    if (typeof key === "number") throw allKeysCool(candidate, key);
    const { path, headers, body } = make(key);
    const startedAt = clock.now();
    const response = await this.#fetch(candidate, { path, headers, body: JSON.stringify(body) }, signal);
    health.firstByte(orgId, candidate, clock.now() - startedAt);
    if (response.ok) return response;
    throw await this.#refusal(orgId, candidate, wire, key, response);
  }

  async #fetch(
    { provider }: Candidate,
    { path, headers, body }: {
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      body: string;
    },
    signal: AbortSignal,
  ): Promise<Response> {
    const request = new Request(`${provider.baseUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "alkdev-hub", ...headers, ...provider.headers },
      body,
      signal,
    });
    const timeoutMs = provider.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const policy = { keepAlive: true, timeoutMs, idleMs: IDLE_MS, maxBytes: MAX_ANSWER, maxRedirects: 0 };
    try {
      return await this.#options.egress.fetch(request, policy);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw brokenOff(provider.name, error, { mayCost: !isNotSent(error) });
    }
  }

  async #refusal(
    orgId: string,
    candidate: Candidate,
    wire: Wire,
    key: string,
    response: Response,
  ): Promise<AttemptFailed> {
    const { health } = this.#options;
    const { provider } = candidate;
    const { status, headers } = response;
    const text = (await limitedText(response)).replaceAll(key, "***");
    const said = wire.error(text);
    if (status === 401 || status === 403) {
      health.coolDown(orgId, provider, key, "refused", null);
      return new AttemptFailed(ofHub(502, `Provider "${provider.name}" refuses the hub's key`), { mayRetry: true });
    }
    if (status >= 300 && status < 400) {
      return new AttemptFailed(ofHub(502, `Provider "${provider.name}" redirects, which is not followed`), {
        mayRetry: true,
      });
    }
    const error = said ?? ofHub(status, `Provider "${provider.name}" answers ${status}`).error;
    const retryAfter = headers.get("retry-after");
    if (status === 429) {
      health.coolDown(orgId, provider, key, "limited", retryAfterMs(headers, this.#options.clock.now()));
    }
    const details = { status, error, ...(retryAfter !== null && { retryAfter }) };
    return new AttemptFailed(details, {
      mayRetry: status === 429 || status === 408 || status === 409 || status >= 500,
    });
  }
}

/** The connection to a provider failed, or broke off. */
export function brokenOff(provider: string, cause: unknown, options: { readonly mayCost: boolean }): AttemptFailed {
  const isLate = cause instanceof CallError && cause.code === "TIMEOUT";
  const details = isLate
    ? ofHub(504, `Provider "${provider}" did not answer in time`)
    : cause instanceof CallError && cause.code === "EGRESS_DENIED"
    ? ofHub(502, `Provider "${provider}" cannot be reached from this hub: its address is not allowed`)
    : ofHub(502, `Provider "${provider}" cannot be reached, or broke off`);
  return new AttemptFailed(details, { mayRetry: true, mayCost: options.mayCost, cause });
}

/** What the hub says in the provider's place. */
export function ofHub(status: number, message: string, code: string | null = null): RefusalDetails {
  return { status, error: { message, type: status < 500 ? "invalid_request_error" : "api_error", param: null, code } };
}

/** The error with which a call ends. */
export function toCallError(failed: AttemptFailed): CallError {
  const { status } = failed.details;
  const code = status === 429
    ? "PROVIDER_LIMITED"
    : status >= 400 && status < 500 && !failed.mayRetry
    ? "PROVIDER_REJECTED"
    : "PROVIDER_FAILED";
  return inferenceError(code, failed.details, failed);
}

function allKeysCool({ provider }: Candidate, ms: number): AttemptFailed {
  const error: OpenAiError = {
    message: `Rate limit reached at provider "${provider.name}": all its keys rest`,
    type: "requests",
    param: null,
    code: "rate_limit_exceeded",
  };
  return new AttemptFailed({ status: 429, error, retryAfter: String(Math.max(1, Math.ceil(ms / 1000))) }, {
    mayRetry: true,
  });
}

/** Refused before a byte was sent. */
function isNotSent(error: unknown): boolean {
  if (!(error instanceof CallError)) return false;
  if (error.code === "EGRESS_DENIED") return true;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOTFOUND");
}

function retryAfterMs(headers: Headers, now: number): number | null {
  const exact = Number(headers.get("retry-after-ms"));
  if (exact > 0) return exact;
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

async function limitedText({ body }: Response): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ERROR) break;
    }
  } catch {
    // What has come by then is what is known.
  }
  return text.slice(0, MAX_ERROR);
}
