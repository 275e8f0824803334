import type { Clock } from "../../../engine/ports.ts";
import type { RunEvent } from "../../runs/mod.ts";
import { type EventRef, newDelivery, type PlacedEvent } from "./delivery.ts";
import type { DeliveryStore, OutboundLog } from "./delivery_store.ts";
import { outboundType } from "./outbound_type.ts";
import type { OutboundDefinition, WebhookRecord } from "./webhook.ts";
import type { WebhookStore } from "./webhook_store.ts";

/** What {@linkcode Outbound} works with. */
export interface OutboundOptions {
  readonly webhooks: Pick<WebhookStore, "outbound">;
  readonly deliveries: Pick<DeliveryStore, "enqueue">;
  readonly log: OutboundLog;
  readonly clock: Clock;
  /** Told when there is something to send. */
  readonly onQueued: () => void;
  readonly onError: (error: unknown) => void;
}

/** Another hub may have made a webhook. */
const REFRESH_MS = 2_000;
const SCAN_EVERY_MS = 30_000;
/** How much earlier than the last scan events are looked for: clocks differ, and commits wait. */
const SLACK_MS = 60_000;
/** The same after a start, as of the time before it less is known. */
const START_SLACK_MS = 10 * 60_000;
const PAGE = 2_000;
/** Events of this process that wait to be queued; what is beyond is found by a scan. */
const MAX_WAITING = 10_000;

interface OutboundHook extends WebhookRecord {
  readonly definition: OutboundDefinition;
}

/**
 * Queues a delivery for each event that a webhook asks for: at once for what this process commits, and by scans of the log for
 * what a process that died had committed and not queued. Both may queue the same; the store keeps one.
 */
export class Outbound {
  readonly #options: OutboundOptions;
  #hooks: readonly OutboundHook[] = [];
  #types: ReadonlySet<string> = new Set();
  #waiting: EventRef[] = [];
  #flushing: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #hasScanned = false;
  #stopped = false;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Looks at the webhooks and scans; resolves when that is done once. */
  async start(): Promise<void> {
    await this.#turn();
  }

  /** Resolves when nothing is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#work;
    await this.#flushing;
  }

  /** Called with each batch that this process has committed. */
  committed(batch: readonly RunEvent[]): void {
    if (this.#types.size === 0) return;
    for (const event of batch) {
      const type = outboundType(event);
      if (type === null || !this.#types.has(type) || this.#waiting.length >= MAX_WAITING) continue;
      this.#waiting.push({ runId: event.runId, seq: event.seq, type, at: event.at });
    }
    if (this.#waiting.length > 0 && this.#flushing === null && !this.#stopped) this.#flush();
  }

  /** Looks at the webhooks again. */
  async refresh(): Promise<void> {
    const hooks = await this.#options.webhooks.outbound();
    this.#hooks = hooks.filter((hook): hook is OutboundHook => hook.definition.kind === "outbound");
    this.#types = new Set(this.#hooks.flatMap(({ definition }) => definition.events));
  }

  /** Looks through the log; false: another hub just has. */
  async scan(): Promise<boolean> {
    const { log, clock } = this.#options;
    if (this.#hooks.length === 0) return false;
    const scan = await log.beginScan({ now: clock.now(), everyMs: this.#hasScanned ? SCAN_EVERY_MS : 0 });
    if (scan === null) return false;
    const slackMs = this.#hasScanned ? SLACK_MS : START_SLACK_MS;
    const orgIds = [...new Set(this.#hooks.map(({ orgId }) => orgId))];
    const since = Math.max(0, (scan.since ?? scan.startedAt) - slackMs);
    for (let after: EventRef | null = null;;) {
      const page: readonly PlacedEvent[] = await log.events({
        orgIds,
        types: [...this.#types],
        since,
        after,
        limit: PAGE,
      });
      await this.#queue(page);
      after = page.at(-1) ?? null;
      if (page.length < PAGE) break;
    }
    await log.endScan({ scan, orgIds });
    this.#hasScanned = true;
    return true;
  }

  async #turn(): Promise<void> {
    const { clock, onError } = this.#options;
    const work = this.refresh().then(() => this.scan());
    this.#work = work.catch(onError);
    await this.#work;
    if (!this.#stopped) this.#cancel = clock.at(clock.now() + REFRESH_MS, () => void this.#turn());
  }

  #flush(): void {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#flushing = this.#options.log.place(taken).then((events) => this.#queue(events)).catch((error) => {
      // They stay for a scan, which finds them in the log.
      this.#options.onError(error);
    }).finally(() => {
      this.#flushing = null;
      if (this.#waiting.length > 0) this.#flush();
    });
  }

  async #queue(events: readonly PlacedEvent[]): Promise<void> {
    const now = this.#options.clock.now();
    const queued = events.flatMap((event) =>
      this.#hooks.filter((hook) => asksFor(hook, event)).map(({ id }) => newDelivery(id, event, now))
    );
    if (queued.length === 0) return;
    await this.#options.deliveries.enqueue(queued);
    this.#options.onQueued();
  }
}

function asksFor({ orgId, activeSince, definition }: OutboundHook, event: PlacedEvent): boolean {
  return orgId === event.orgId && event.at >= activeSince && definition.events.includes(event.type) &&
    (definition.workflow === undefined || definition.workflow === event.workflow) &&
    (definition.label === undefined || hasLabel(event.labels, definition.label));
}

function hasLabel(labels: Readonly<Record<string, string>>, label: string): boolean {
  const at = label.indexOf("=");
  if (at === -1) return Object.hasOwn(labels, label);
  const key = label.slice(0, at);
  return Object.hasOwn(labels, key) && labels[key] === label.slice(at + 1);
}
