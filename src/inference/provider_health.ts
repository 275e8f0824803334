import type { Clock } from "../../engine/mod.ts";
import type { Provider, ProviderModel } from "./ports.ts";

/** A model at a provider that a request could go to. */
export interface Candidate {
  readonly provider: Provider;
  readonly model: ProviderModel;
}

const FAILURES_TO_OPEN = 5;
const OPEN_MS = 10_000;
const COOL_DOWN_MS = 5_000;
const MAX_COOL_DOWN_MS = 10 * 60_000;
const BAD_KEY_MS = 60_000;
const MAX_ENTRIES = 10_000;
/** Weight of the newest latency in the average. */
const NEWEST = 0.2;

interface Circuit {
  failures: number;
  openUntil: number;
  /** A request that tries whether it works again is under way. */
  probing: boolean;
  /** Ms to the first byte; null: not known. */
  latencyMs: number | null;
  inFlight: number;
}

/** What this hub has seen of providers, models and keys. Forgotten with the process: it is learnt again within seconds. */
export class ProviderHealth {
  readonly #clock: Clock;
  readonly #circuits = new Map<string, Circuit>();
  /** Until when a key is not to be used, by provider and key. */
  readonly #coolKeys = new Map<string, number>();
  readonly #turns = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a request may be sent there now. */
  isOpen(orgId: string, candidate: Candidate): boolean {
    const circuit = this.#circuits.get(idOf(orgId, candidate));
    const { maxConcurrency } = candidate.provider;
    if (circuit === undefined) return true;
    if (maxConcurrency !== null && circuit.inFlight >= maxConcurrency) return false;
    if (circuit.failures < FAILURES_TO_OPEN) return true;
    return this.#clock.now() >= circuit.openUntil && !circuit.probing;
  }

  latencyMs(orgId: string, candidate: Candidate): number | null {
    return this.#circuits.get(idOf(orgId, candidate))?.latencyMs ?? null;
  }

  begin(orgId: string, candidate: Candidate): void {
    const circuit = this.#circuit(orgId, candidate);
    circuit.inFlight++;
    if (circuit.failures >= FAILURES_TO_OPEN) circuit.probing = true;
  }

  /** `worked` null: it says nothing of the provider's health. */
  end(orgId: string, candidate: Candidate, worked: boolean | null): void {
    const circuit = this.#circuit(orgId, candidate);
    circuit.inFlight = Math.max(0, circuit.inFlight - 1);
    circuit.probing = false;
    if (worked === null) return;
    circuit.failures = worked ? 0 : circuit.failures + 1;
    if (circuit.failures >= FAILURES_TO_OPEN) circuit.openUntil = this.#clock.now() + OPEN_MS;
  }

  firstByte(orgId: string, candidate: Candidate, ms: number): void {
    const circuit = this.#circuit(orgId, candidate);
    circuit.latencyMs = circuit.latencyMs === null ? ms : circuit.latencyMs + (ms - circuit.latencyMs) * NEWEST;
  }

  /** A key that is not cooling down, each in turn; or ms until the first is good again. */
  key(orgId: string, { name, keys }: Provider): string | number {
    const now = this.#clock.now();
    const id = `${orgId} ${name}`;
    const turn = this.#turns.get(id) ?? 0;
    let soonest = Infinity;
    for (let at = 0; at < keys.length; at++) {
      const key = keys[(turn + at) % keys.length]!;
      const until = this.#coolKeys.get(`${id} ${key}`);
      if (until === undefined || until <= now) {
        if (until !== undefined) this.#coolKeys.delete(`${id} ${key}`);
        this.#turns.set(id, (turn + at + 1) % keys.length);
        return key;
      }
      soonest = Math.min(soonest, until - now);
    }
    return Number.isFinite(soonest) ? soonest : 0;
  }

  /** The provider refuses a key for now. */
  coolDown(
    orgId: string,
    { name }: Provider,
    key: string,
    why: "limited" | "refused",
    retryAfterMs: number | null,
  ): void {
    const ms = why === "refused" ? BAD_KEY_MS : Math.min(retryAfterMs ?? COOL_DOWN_MS, MAX_COOL_DOWN_MS);
    this.#coolKeys.set(`${orgId} ${name} ${key}`, this.#clock.now() + ms);
    bound(this.#coolKeys);
  }

  #circuit(orgId: string, candidate: Candidate): Circuit {
    const id = idOf(orgId, candidate);
    let circuit = this.#circuits.get(id);
    if (circuit === undefined) {
      circuit = { failures: 0, openUntil: 0, probing: false, latencyMs: null, inFlight: 0 };
      this.#circuits.set(id, circuit);
      bound(this.#circuits);
    }
    return circuit;
  }
}

function idOf(orgId: string, { provider, model }: Candidate): string {
  return `${orgId} ${provider.name} ${model.id}`;
}

function bound(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > MAX_ENTRIES && oldest !== undefined) map.delete(oldest);
}
