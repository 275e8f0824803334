/**
 * The way from one hub to the tickets: what asks and what leaves in one turn goes in one request, and only one is under way.
 *
 * - D1 What leaves and asks again is given back before it asks: news of the first ticket never let the second in.
 * - D2 A request whose answer was lost is sent again, and after it everything that waits is asked for again.
 */
import type { Clock } from "../../engine/mod.ts";
import type { FlowHub, FlowStore, TicketId, TicketNews, TicketRequest, TicketState } from "./ports.ts";

/** While something waits, at least so often it is asked whether its time has come. */
const POLL_MS = 250;
const RETRY_MS = 250;
/** Tickets of one request at most. */
const BATCH = 500;

export interface TicketDeskOptions {
  readonly store: Pick<FlowStore, "request" | "release" | "poll">;
  readonly hub: FlowHub;
  readonly clock: Clock;
  /** Keys were given back: hubs that wait may look. */
  readonly onReleased?: () => void;
  /** A request failed and is sent again. */
  readonly onTrouble?: (error: unknown) => void;
}

/** What became of a ticket: it may start, or another took its place. */
export type TicketOutcome = (state: TicketState, replacedBy: string | null) => void;

interface Waiter {
  readonly ticket: TicketRequest;
  readonly outcome: TicketOutcome;
}

export class TicketDesk {
  readonly #options: TicketDeskOptions;
  readonly #waiters: Map<string, Waiter> = new Map();
  /** Not asked for yet, by id. */
  #requests: Map<string, TicketRequest> = new Map();
  #releases: Map<string, TicketId> = new Map();
  #scheduled = false;
  #busy = false;
  #isDue = false;
  #stopPoll: (() => void) | null = null;
  #stopRetry: (() => void) | null = null;
  #isClosed = false;

  constructor(options: TicketDeskOptions) {
    this.#options = options;
  }

  /** Whether the store has not been told everything yet. */
  get isBehind(): boolean {
    return this.#busy || this.#scheduled || this.#requests.size > 0 || this.#releases.size > 0;
  }

  /** Tickets that it has not been told of. */
  get waiting(): readonly TicketId[] {
    return [...this.#waiters.values()].map(({ ticket }) => ticket);
  }

  /** Waits for a ticket. `outcome` is called once, not before this returns, unless it leaves before. */
  enter(ticket: TicketRequest, outcome: TicketOutcome): void {
    const id = idOf(ticket);
    this.#waiters.set(id, { ticket, outcome });
    this.#requests.set(id, ticket);
    this.#schedule();
  }

  /** Leaves the line, or gives the key back. */
  leave(ticket: TicketId): void {
    const id = idOf(ticket);
    this.#waiters.delete(id);
    this.#requests.delete(id);
    this.#releases.set(id, ticket);
    this.#schedule();
  }

  /** Asks now whether something has come of what waits. */
  nudge(): void {
    if (this.#waiters.size === 0) return;
    this.#isDue = true;
    this.#schedule();
  }

  /** Asks beside the others, for a ticket that does not wait. @throws what the store throws */
  async tryNow(ticket: TicketRequest): Promise<boolean> {
    const news = await this.#options.store.request(this.#options.hub, [{ ...ticket, nowOrNever: true }]);
    this.#hear(news);
    const own = news.find((one) => idOf(one) === idOf(ticket));
    return own?.state === "held";
  }

  /** Nothing is asked any more; what is held stays so, for the next owner. */
  close(): void {
    this.#isClosed = true;
    this.#stopPoll?.();
    this.#stopRetry?.();
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy || this.#isClosed) return;
    this.#scheduled = true;
    this.#options.clock.afterTurn(() => {
      this.#scheduled = false;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (!this.#isClosed && (this.#releases.size > 0 || this.#requests.size > 0 || this.#isDue)) {
      try {
        await this.#send();
      } catch (error) {
        this.#options.onTrouble?.(error);
        for (const [id, { ticket }] of this.#waiters) this.#requests.set(id, ticket); // an answer may be lost
        const { clock } = this.#options;
        await new Promise<void>((resolve) => {
          this.#stopRetry = clock.at(clock.now() + RETRY_MS, resolve);
        });
      }
    }
    this.#busy = false;
    this.#armPoll();
  }

  async #send(): Promise<void> {
    const { store, hub, onReleased } = this.#options;
    if (this.#releases.size > 0) {
      const batch = firstOf(this.#releases);
      const news = await store.release(hub, [...batch.values()]);
      for (const [id, ticket] of batch) if (this.#releases.get(id) === ticket) this.#releases.delete(id);
      this.#hear(news);
      onReleased?.();
    } else if (this.#requests.size > 0) {
      const batch = firstOf(this.#requests);
      for (const id of batch.keys()) this.#requests.delete(id);
      this.#hear(await store.request(hub, [...batch.values()]));
    } else {
      this.#isDue = false;
      this.#hear(await store.poll(hub));
    }
  }

  #hear(news: readonly TicketNews[]): void {
    if (this.#isClosed) return;
    for (const one of news) {
      const id = idOf(one);
      const waiter = this.#waiters.get(id);
      if (waiter === undefined || this.#releases.has(id)) continue; // D1
      this.#waiters.delete(id);
      this.#requests.delete(id);
      waiter.outcome(one.state, one.replacedBy);
    }
  }

  #armPoll(): void {
    if (this.#waiters.size === 0 || this.#stopPoll !== null || this.#isClosed) return;
    const { clock } = this.#options;
    this.#stopPoll = clock.at(clock.now() + POLL_MS, () => {
      this.#stopPoll = null;
      this.nudge();
    });
  }
}

function idOf({ orgId, key, holder }: TicketId): string {
  return JSON.stringify([orgId, key, holder]);
}

function firstOf<T>(all: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (all.size <= BATCH) return new Map(all);
  return new Map([...all].slice(0, BATCH));
}
