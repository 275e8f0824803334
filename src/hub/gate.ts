import { CallError } from "@alkdev/operations";
import { Guesses, KeyRates, type RatedKey, type RateKind, type RateState } from "../auth/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import {
  type Act,
  type ClientAddresses,
  type ClientRequest,
  type Gate,
  HttpError,
  rateHeaders,
  type Refusal,
} from "../server/mod.ts";
import { type AuditLogStore, createRateStore, type Database } from "../storage/mod.ts";
import { DEFAULT_ORG } from "./keys.ts";

/** Refusals written down a minute, by organization; what is beyond is counted, and said with the next one. */
const REFUSALS_PER_MINUTE = 60;
/** Organizations whose refusals are counted at a time. */
const MAX_COUNTED = 1_000;
/** Refusals that may wait to be written. */
const MAX_WRITING = 100;
/** Of what a message asked for, in characters: names in it are the client's. */
const MAX_ASKED = 200;

/** What stands before every edge of a hub. */
export function openGate(
  { db, audit, addresses }: {
    readonly db: Database;
    readonly audit: Pick<AuditLogStore, "append">;
    readonly addresses: ClientAddresses;
  },
): HubGate {
  return new HubGate(new KeyRates(createRateStore(db)), audit, addresses);
}

/** Counts requests and guesses, and writes refusals and administrative acts down. */
export class HubGate implements Gate {
  readonly #rates: KeyRates;
  readonly #audit: Pick<AuditLogStore, "append">;
  readonly #addresses: ClientAddresses;
  readonly #guesses: Guesses = new Guesses();
  readonly #noted: Map<string, { count: number; untilMs: number; left: number }> = new Map();
  #writing = 0;

  constructor(rates: KeyRates, audit: Pick<AuditLogStore, "append">, addresses: ClientAddresses) {
    this.#rates = rates;
    this.#audit = audit;
    this.#addresses = addresses;
  }

  assertMayTry(request: Request, key: string): void {
    const retryAfterMs = this.#guesses.waitMs({ address: this.#addresses.of(request), key });
    if (retryAfterMs === 0) return;
    throw new CallError("RATE_LIMITED", "Too many wrong API keys were tried: try again later", { retryAfterMs });
  }

  wrong(request: Request, key: string): void {
    this.#guesses.wrong({ address: this.#addresses.of(request), key });
  }

  async admit(key: RatedKey, kind: RateKind): Promise<RateState | null> {
    const rate = await this.#rates.take(key, kind);
    if (rate === null || rate.admitted) return rate;
    const what = kind === "requests" ? "sent as many requests" : "started as many runs";
    throw new HttpError("RATE_LIMITED", `The API key has ${what} as it may in a minute: ${rate.limit}`, {
      details: { kind, limit: rate.limit, retryAfterMs: rate.resetMs },
      headers: rateHeaders(rate),
    });
  }

  refused({ request, route, asked, principal, code }: Refusal): void {
    const orgId = principal?.orgId ?? DEFAULT_ORG;
    const unwritten = this.#mayNote(orgId);
    if (unwritten === null || this.#writing >= MAX_WRITING) return;
    this.#writing++;
    this.#append({
      action: "request.refused",
      orgId,
      ownerId: principal?.identity.id ?? "anonymous",
      keyId: principal?.keyId ?? null,
      details: {
        ...this.#origin(request),
        route,
        ...(asked !== undefined && { asked: asked.slice(0, MAX_ASKED) }),
        code,
        ...(unwritten > 0 && { unwritten }),
      },
    }).finally(() => this.#writing--);
  }

  async acted({ request, principal, name, route, params }: Act): Promise<void> {
    const { orgId, keyId, identity } = principal;
    const details = { ...this.#origin(request), route, params };
    await this.#append({ action: name, orgId, ownerId: identity.id, keyId, details });
  }

  #origin(request: Request | ClientRequest): ClientRequest {
    if (!(request instanceof Request)) return { method: request.method, address: request.address };
    return { method: request.method, address: this.#addresses.of(request) };
  }

  async #append(entry: Parameters<AuditLogStore["append"]>[0]): Promise<void> {
    try {
      await this.#audit.append(entry);
    } catch (error) {
      // The act is done, and its caller was or is told so: what is lost is the note of it.
      const data = { action: entry.action, error: String(error) };
      hubLogger("audit").error("{action} could not be written to the audit log: {error}", data);
    }
  }

  /** How many were not written since the last; null: nor may this one be. */
  #mayNote(orgId: string): number | null {
    const now = Date.now();
    const known = this.#noted.get(orgId);
    if (known !== undefined && known.untilMs > now) {
      if (known.count >= REFUSALS_PER_MINUTE) {
        known.left++;
        return null;
      }
      known.count++;
      return 0;
    }
    this.#noted.delete(orgId);
    this.#noted.set(orgId, { count: 1, untilMs: now + 60_000, left: 0 });
    if (this.#noted.size > MAX_COUNTED) {
      const oldest = this.#noted.keys().next();
      if (oldest.done !== true) this.#noted.delete(oldest.value);
    }
    return known?.left ?? 0;
  }
}
