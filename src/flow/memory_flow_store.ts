/**
 * The reference for every {@linkcode FlowStore}: all in maps, shared by the hubs of one process.
 *
 * - F1 A ticket of a line is granted only when those before it are, or cannot be yet by their own delay.
 * - F2 Granting counts what is held and what was granted at that moment: limits are never exceeded (I7).
 * - F3 A replaced ticket is never granted.
 */
import type {
  FlowHub,
  FlowLimit,
  FlowRules,
  FlowStore,
  Hold,
  KeyView,
  TicketId,
  TicketNews,
  TicketRequest,
  TicketView,
} from "./ports.ts";

export interface MemoryFlowOptions {
  /** Ms since the epoch. */
  readonly now: () => number;
  /** `unknown`: it has not begun. */
  readonly stateOf: (runId: string) => "unknown" | "live" | "over";
  /** Whether a hub holds its lease. */
  readonly isHub: (hub: FlowHub) => boolean;
}

interface Ticket extends TicketRequest {
  hub: FlowHub;
  state: "waiting" | "held" | "replaced";
  told: boolean;
  replacedBy: string | null;
  readonly seq: number;
  readonly cameAt: number;
  readonly firstAt: number;
  readonly notBefore: number | null;
  grantedAt: number;
}

export class MemoryFlowStore implements FlowStore {
  readonly #options: MemoryFlowOptions;
  /** Organization and key -> holder -> ticket. */
  readonly #lines: Map<string, Map<string, Ticket>> = new Map();
  readonly #grants: Map<string, number[]> = new Map();
  readonly #limits: Map<string, FlowLimit> = new Map();
  readonly #holds: Map<string, Hold> = new Map();
  #version = 1;
  #seq = 0;

  constructor(options: MemoryFlowOptions) {
    this.#options = options;
  }

  request(hub: FlowHub, tickets: readonly TicketRequest[]): Promise<readonly TicketNews[]> {
    if (!this.#options.isHub(hub)) return Promise.resolve([]);
    for (const ticket of tickets) this.#enter(hub, ticket);
    this.#grantAll(tickets);
    const refused = tickets.filter((ticket) => {
      const line = this.#lines.get(lineOf(ticket));
      return ticket.nowOrNever === true && line?.get(ticket.holder)?.state === "waiting" && line.delete(ticket.holder);
    });
    return Promise.resolve([
      ...refused.map((ticket) => newsOf(ticket, "refused", null)),
      ...this.#news(hub),
    ]);
  }

  release(hub: FlowHub, tickets: readonly TicketId[]): Promise<readonly TicketNews[]> {
    for (const ticket of tickets) {
      const line = this.#lines.get(lineOf(ticket));
      const found = line?.get(ticket.holder);
      if (found !== undefined && isSame(found.hub, hub)) line?.delete(ticket.holder);
    }
    this.#grantAll(tickets);
    return Promise.resolve(this.#news(hub));
  }

  poll(hub: FlowHub): Promise<readonly TicketNews[]> {
    for (const [id, line] of this.#lines) {
      if ([...line.values()].some((ticket) => isSame(ticket.hub, hub) && ticket.state === "waiting")) this.#grant(id);
    }
    return Promise.resolve(this.#news(hub));
  }

  sweep(
    hub: FlowHub,
    { runIds, ageMs }: { readonly runIds: readonly string[]; readonly ageMs: number },
  ): Promise<number> {
    const { now, stateOf, isHub } = this.#options;
    const own = new Set(runIds);
    let taken = 0;
    for (const [id, line] of isHub(hub) ? this.#lines : []) {
      for (const ticket of [...line.values()]) {
        const state = stateOf(ticket.runId);
        const isOver = state === "over" || (state === "unknown" && ticket.cameAt < now() - ageMs);
        if (!isOver && !(own.has(ticket.runId) && !isSame(ticket.hub, hub))) continue;
        line.delete(ticket.holder);
        taken++;
      }
      this.#grant(id);
    }
    return Promise.resolve(taken);
  }

  version(): Promise<number> {
    return Promise.resolve(this.#version);
  }

  rules(): Promise<FlowRules> {
    return Promise.resolve({
      version: this.#version,
      limits: [...this.#limits.values()],
      holds: [...this.#holds.values()],
    });
  }

  setLimit(limit: Omit<FlowLimit, "updatedAt">): Promise<FlowLimit> {
    const full = { ...limit, updatedAt: this.#options.now() };
    this.#limits.set(lineOf(limit), full);
    this.#version++;
    this.#grant(lineOf(limit));
    return Promise.resolve(full);
  }

  removeLimit(params: { readonly orgId: string; readonly key: string }): Promise<boolean> {
    const had = this.#limits.delete(lineOf(params));
    if (had) this.#version++;
    this.#grant(lineOf(params));
    return Promise.resolve(had);
  }

  addHold(hold: Omit<Hold, "id" | "createdAt">): Promise<Hold> {
    const { orgId, kind, name } = hold;
    const same = [...this.#holds.values()].find((it) => it.orgId === orgId && it.kind === kind && it.name === name);
    if (same !== undefined) return Promise.resolve(same);
    const made = { ...hold, id: `hold-${++this.#seq}`, createdAt: this.#options.now() };
    this.#holds.set(made.id, made);
    this.#version++;
    return Promise.resolve(made);
  }

  removeHold({ orgId, id }: { readonly orgId: string; readonly id: string }): Promise<Hold | null> {
    const hold = this.#holds.get(id);
    if (hold === undefined || hold.orgId !== orgId) return Promise.resolve(null);
    this.#holds.delete(id);
    this.#version++;
    return Promise.resolve(hold);
  }

  keys({ orgId }: { readonly orgId: string }): Promise<readonly KeyView[]> {
    const views = [...this.#lines.values()].flatMap((line): KeyView[] => {
      const tickets = shown(line).filter((ticket) => ticket.orgId === orgId);
      const [first] = [...tickets.filter(({ state }) => state === "waiting"), ...tickets];
      if (first === undefined) return [];
      const running = tickets.filter(({ state }) => state === "held").length;
      return [{ key: first.key, running, waiting: tickets.length - running, ...this.#allowed(first) }];
    });
    return Promise.resolve(views.sort((a, b) => a.key < b.key ? -1 : 1));
  }

  tickets(
    { limit, ...line }: { readonly orgId: string; readonly key: string; readonly limit: number },
  ): Promise<readonly TicketView[]> {
    return Promise.resolve(this.#views(shown(this.#lines.get(lineOf(line)))).slice(0, limit));
  }

  ticketsOf({ orgId, runId }: { readonly orgId: string; readonly runId: string }): Promise<readonly TicketView[]> {
    const all = [...this.#lines.values()].flatMap((line) => this.#views(shown(line)));
    return Promise.resolve(all.filter((ticket) => ticket.orgId === orgId && ticket.runId === runId));
  }

  #enter(hub: FlowHub, request: TicketRequest): void {
    const id = lineOf(request);
    let line = this.#lines.get(id);
    if (line === undefined) this.#lines.set(id, line = new Map());
    const known = line.get(request.holder);
    if (known !== undefined) {
      known.hub = hub;
      known.told = known.state === "waiting";
      return;
    }
    const now = this.#options.now();
    const { replaces, delayMs, maxDelayMs } = request.line;
    let firstAt = now;
    for (const other of replaces === true ? line.values() : []) {
      if (other.state !== "waiting" || other.nodeKey !== null) continue;
      firstAt = Math.min(firstAt, other.firstAt);
      other.state = "replaced";
      other.replacedBy = request.holder;
      other.told = false;
    }
    line.set(request.holder, {
      ...request,
      hub,
      state: "waiting",
      told: true,
      replacedBy: null,
      seq: ++this.#seq,
      cameAt: now,
      firstAt,
      notBefore: delayMs === undefined ? null : Math.min(now + delayMs, firstAt + (maxDelayMs ?? Infinity)),
      grantedAt: 0,
    });
  }

  #grantAll(tickets: readonly TicketId[]): void {
    for (const id of new Set(tickets.map(lineOf))) this.#grant(id);
  }

  #grant(id: string): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    const now = this.#options.now();
    let held = [...line.values()].filter(({ state }) => state === "held").length;
    for (const ticket of waitingOf(line).filter(({ notBefore }) => notBefore === null || notBefore <= now)) {
      const { concurrency, rate } = this.#allowed(ticket);
      if (concurrency !== null && held >= concurrency) break;
      if (rate !== null) {
        const recent = (this.#grants.get(id) ?? []).filter((at) => at > now - rate.perMs);
        if (recent.length >= rate.limit) break;
        this.#grants.set(id, [...recent, now]);
      }
      ticket.state = "held";
      ticket.grantedAt = now;
      ticket.told = false;
      held++;
    }
    if (line.size === 0) this.#lines.delete(id);
  }

  /** What counts for a ticket. */
  #allowed(ticket: TicketRequest): Pick<KeyView, "concurrency" | "rate"> {
    const own = this.#limits.get(lineOf(ticket));
    const { concurrency, rate } = ticket.line;
    return {
      concurrency: own?.concurrency ?? concurrency ?? (own === undefined ? ticket.fallback : null),
      rate: own?.rate ?? rate ?? null,
    };
  }

  #news(hub: FlowHub): TicketNews[] {
    const news: TicketNews[] = [];
    for (const line of this.#lines.values()) {
      for (const ticket of line.values()) {
        if (ticket.told || !isSame(ticket.hub, hub)) continue;
        ticket.told = true;
        news.push(newsOf(ticket, ticket.state === "held" ? "held" : "replaced", ticket.replacedBy));
      }
    }
    return news;
  }

  #views(tickets: readonly Ticket[]): TicketView[] {
    return tickets.map((ticket) => ({
      orgId: ticket.orgId,
      key: ticket.key,
      holder: ticket.holder,
      runId: ticket.runId,
      nodeKey: ticket.nodeKey,
      state: ticket.state === "held" ? "held" : "waiting",
      priority: ticket.priority,
      since: ticket.state === "held" ? ticket.grantedAt : ticket.cameAt,
      position: ticket.state === "held" ? null : tickets.filter(({ state }) => state === "waiting").indexOf(ticket) + 1,
      notBefore: ticket.notBefore,
      ...this.#allowed(ticket),
    }));
  }
}

function lineOf({ orgId, key }: { readonly orgId: string; readonly key: string }): string {
  return JSON.stringify([orgId, key]);
}

function newsOf({ orgId, key, holder }: TicketId, state: TicketNews["state"], replacedBy: string | null): TicketNews {
  return { orgId, key, holder, state, replacedBy };
}

function isSame(a: FlowHub, b: FlowHub): boolean {
  return a.hubId === b.hubId && a.epoch === b.epoch;
}

function waitingOf(line: ReadonlyMap<string, Ticket>): Ticket[] {
  return [...line.values()].filter(({ state }) => state === "waiting").sort((a, b) => a.rank - b.rank || a.seq - b.seq);
}

/** Who holds, oldest first, then who waits. */
function shown(line: ReadonlyMap<string, Ticket> = new Map()): Ticket[] {
  const held = [...line.values()].filter(({ state }) => state === "held");
  return [...held.sort((a, b) => a.grantedAt - b.grantedAt || a.seq - b.seq), ...waitingOf(line)];
}
