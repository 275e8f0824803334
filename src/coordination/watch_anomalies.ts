import { anomaliesOf, CHECK_EVERY_MS } from "./detect/detectors.ts";
import type { Detection } from "./detection.ts";
import type { Mail } from "./mail.ts";
import type { Mapping } from "./mapping.ts";
import { CLAIM_MS, type CoordinationOptions } from "./options.ts";

/** An anomaly as it was found now. */
export interface Found extends Detection {
  /** False: it was recorded before. */
  readonly isNew: boolean;
}

/** Looks for anomalies, records them once and tells the parent. Never does anything about them. */
export class AnomalyWatch {
  readonly #options: CoordinationOptions;
  readonly #mail: Mail;
  /** When this hub last looked at a mapping. */
  readonly #looked = new Map<string, number>();

  constructor(options: CoordinationOptions, mail: Mail) {
    this.#options = options;
    this.#mail = mail;
  }

  /** Looks, if it has not for {@linkcode CHECK_EVERY_MS}. */
  async check(mapping: Mapping): Promise<void> {
    const now = this.#options.clock.now();
    if (now - (this.#looked.get(mapping.id) ?? mapping.createdAt) < CHECK_EVERY_MS) return;
    await this.look(mapping);
  }

  forget({ id }: Mapping): void {
    this.#looked.delete(id);
  }

  async look(mapping: Mapping): Promise<readonly Found[]> {
    const { sessions, store, clock, ids } = this.#options;
    const { orgId, sessionId } = mapping;
    const now = clock.now();
    if (mapping.status === "active") this.#looked.set(mapping.id, now);
    if (sessionId === null) return [];
    const trace = await sessions.trace({ orgId, sessionId });
    if (trace === null) return [];
    const anomalies = anomaliesOf({ trace, siblingCosts: await this.#siblingCosts(mapping), now });
    const found: Found[] = [];
    for (const anomaly of anomalies) {
      const id = ids.of(`detection ${orgId} ${sessionId} ${anomaly.type} ${anomaly.occurrence}`);
      const detection = { ...anomaly, id, orgId, mappingId: mapping.id, sessionId, createdAt: now };
      const isNew = await store.addDetection(detection);
      found.push({ ...detection, isNew });
    }
    // Also what is known: the hub that recorded it may have ended before it told. A notice is kept once.
    for (const one of found) await this.#tell(mapping, one);
    return found;
  }

  async #tell(mapping: Mapping, { id, type, severity, suggestion, createdAt }: Detection): Promise<void> {
    await this.#mail.send({
      id: this.#options.ids.of(`notice ${id}`),
      orgId: mapping.orgId,
      mappingId: mapping.id,
      kind: "detection",
      level: severity === "low" ? "info" : "warning",
      recipient: mapping.parentSessionId,
      text: `${type} (${severity}). ${suggestion}.`,
      sender: "hub",
      runId: null,
      answer: null,
      answeredAt: null,
      deliveredAt: null,
      dueAt: mapping.parentSessionId === null ? null : this.#options.clock.now() + CLAIM_MS,
      createdAt,
    }, mapping);
  }

  async #siblingCosts({ orgId, id, parentSessionId, parent }: Mapping): Promise<readonly number[]> {
    const { store, sessions } = this.#options;
    if (parentSessionId === null && parent === null) return [];
    const of = parentSessionId === null ? { parentRunId: parent?.runId ?? "" } : { parentSessionId };
    const siblings = await store.list({ orgId, ...of, limit: 100 });
    const costs: number[] = [];
    for (const { id: other, sessionId } of siblings) {
      if (other === id || sessionId === null) continue;
      const state = await sessions.state({ orgId, sessionId });
      if (state !== null) costs.push(state.usage.costMicros);
    }
    return costs;
  }
}
