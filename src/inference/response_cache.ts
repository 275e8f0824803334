import { createHash } from "node:crypto";
import type { Clock } from "../../engine/mod.ts";
import type { LiveCall } from "./live_call.ts";

const DEFAULT_BYTES = 64 * 1024 * 1024;
/** Larger answers are not kept. */
const MAX_ENTRY = 1024 * 1024;

interface Entry {
  readonly text: string;
  readonly provider: string;
  readonly until: number;
}

/**
 * Answers that are given again to the very same request of the same organization, where its policy says so. Whole answers only:
 * a stream is not kept. In this process, the longest unused forgotten first.
 */
export class ResponseCache {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: { readonly clock: Clock; readonly maxBytes?: number }) {
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? DEFAULT_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is an answer; remembered in the call. */
  look(call: LiveCall): void {
    const seconds = call.policy.cacheSeconds ?? 0;
    if (seconds === 0 || call.isStream || call.endpoint === "responses") return;
    call.cacheKey = keyOf(call);
    const entry = this.#entries.get(call.cacheKey);
    if (entry === undefined) return;
    if (entry.until <= this.#clock.now()) return this.#forget(call.cacheKey);
    this.#entries.delete(call.cacheKey);
    this.#entries.set(call.cacheKey, entry); // the newest in use
    call.isCached = true;
    call.kept = entry.text;
    call.cachedFrom = entry.provider;
  }

  answer(call: LiveCall): void {
    call.answerWith({
      status: 200,
      contentType: "application/json",
      body: call.kept ?? "",
      provider: call.cachedFrom,
      isCached: true,
    });
  }

  /** After a call that worked. */
  keep(call: LiveCall): void {
    const { cacheKey, kept, answeredBy, policy } = call;
    if (cacheKey === null || call.isCached || kept === null || answeredBy === null || kept.length > MAX_ENTRY) return;
    this.#forget(cacheKey);
    const until = this.#clock.now() + (policy.cacheSeconds ?? 0) * 1000;
    this.#entries.set(cacheKey, { text: kept, provider: answeredBy.provider.name, until });
    this.#bytes += 2 * kept.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= 2 * entry.text.length;
  }
}

/** Everything that decides an answer: who may see it, and every field of the request in whatever order. */
function keyOf({ orgId, endpoint, body, policyRevision }: LiveCall): string {
  const { user: _user, ...rest } = body;
  return createHash("sha256").update(JSON.stringify([orgId, endpoint, policyRevision, sorted(rest)])).digest("base64");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, sorted(inner)]),
  );
}
