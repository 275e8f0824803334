/**
 * The engine's gate: lets a call or run in when nobody holds it back and it holds all its keys, taken one after the other.
 */
import type { Clock, FlowGate, GateAnswer, GatedCall, GatedRun, GateLine, LeaveGate } from "../../engine/mod.ts";
import { unpinnedId } from "@alkdev/operations";
import type { KnownRules } from "./flow_rules.ts";
import type { FlowHub, FlowStore, TicketRequest } from "./ports.ts";
import type { TicketDesk } from "./ticket_desk.ts";

/** After so long whoever has taken a run up has asked for all that it holds. */
const ADOPTED_MS = 5_000;
/** Tickets of runs that never began are taken away after this; of those that are over with the next sweep. */
const STALE_MS = 60_000;
const SWEEP_MS = 5_000;
/** How old a hub's knowledge of limits and holds may be. */
const REFRESH_MS = 500;
const NONE: readonly GateLine[] = [];
const WORKFLOW_CALL = "workflow.";

export interface HubGateOptions {
  readonly desk: TicketDesk;
  readonly rules: KnownRules;
  readonly store: Pick<FlowStore, "sweep">;
  readonly hub: FlowHub;
  readonly clock: Clock;
  readonly onTrouble?: (error: unknown) => void;
}

export class HubGate implements FlowGate {
  readonly #options: HubGateOptions;
  /** What a hold keeps from starting. */
  readonly #parked: Set<() => void> = new Set();
  #adopted: string[] = [];
  readonly #timers: Map<string, () => void> = new Map();
  #isClosed = false;

  constructor(options: HubGateOptions) {
    this.#options = options;
    options.rules.onChange(() => {
      for (const look of [...this.#parked]) look();
    });
  }

  /** Begins to look after rules and left-over tickets. */
  start(): void {
    this.#every("refresh", REFRESH_MS, () => this.#options.rules.refresh());
    this.#every("sweep", SWEEP_MS, () => this.#sweep([]));
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#options.desk.close();
  }

  call<Call extends GatedCall>(call: Call, answer: GateAnswer<Call>): LeaveGate | null {
    const { rules } = this.#options;
    const { concurrencyKey, orgId, operationId, workflow } = call;
    if (concurrencyKey === null && !rules.hasForCalls) return null;
    const isChild = operationId.startsWith(WORKFLOW_CALL);
    // A call that is pinned to a version counts as any other of its operation.
    const id = unpinnedId(operationId);
    const operationKey = `operation:${id}`;
    const isHeld = (): boolean =>
      rules.hold(orgId, "workflow", workflow) !== null ||
      (!isChild && rules.hold(orgId, "operation", id) !== null);
    const isLimited = !isChild && rules.limit(orgId, operationKey) !== null;
    if (concurrencyKey === null && !isLimited && !isHeld()) return null;
    const ticket = (key: string, fallback: number | null): TicketRequest => ({
      orgId,
      key,
      holder: call.requestId,
      runId: call.runId,
      nodeKey: call.nodeKey,
      priority: call.priority,
      rank: call.rank,
      line: {},
      fallback,
    });
    const tickets = [
      ...(concurrencyKey === null ? [] : [ticket(concurrencyKey, 1)]),
      ...(isLimited ? [ticket(operationKey, null)] : []),
    ];
    return this.#pass(tickets, isHeld, (replacedBy) => answer(call, replacedBy));
  }

  run<Run extends GatedRun>(run: Run, answer: GateAnswer<Run>): LeaveGate {
    const { caller, workflow, priority, gate } = run.created;
    const { orgId } = caller;
    const tickets = (gate?.lines ?? NONE).map(({ key, ...line }): TicketRequest => ({
      orgId,
      key,
      holder: run.id,
      runId: run.id,
      nodeKey: null,
      priority,
      rank: run.rank,
      line,
      fallback: null,
    }));
    const isHeld = (): boolean => !run.started && this.#options.rules.hold(orgId, "workflow", workflow) !== null;
    return this.#pass(tickets, isHeld, (replacedBy) => answer(run, replacedBy));
  }

  adopted(runId: string): void {
    this.#adopted.push(runId);
    if (this.#adopted.length > 1 || this.#isClosed) return;
    this.#after("adopted", ADOPTED_MS, () => {
      const runIds = this.#adopted;
      this.#adopted = [];
      this.#sweep(runIds).catch((error) => this.#options.onTrouble?.(error));
    });
  }

  #pass(
    tickets: readonly TicketRequest[],
    isHeld: () => boolean,
    answer: (replacedBy: string | null) => void,
  ): LeaveGate {
    const { desk, clock } = this.#options;
    let asked = 0;
    let hasLeft = false;
    let look: (() => void) | null = null;
    /** Goes on when no hold is in the way, then, or as soon as there is none. */
    const unheld = (go: () => void): void => {
      if (!isHeld()) return go();
      look = () => {
        if (isHeld()) return;
        this.#parked.delete(look!);
        if (!hasLeft) go();
      };
      this.#parked.add(look);
    };
    const next = (): void => {
      if (hasLeft) return;
      const ticket = tickets[asked];
      if (ticket === undefined) return unheld(() => answer(null));
      asked++;
      desk.enter(ticket, (state, replacedBy) => state === "replaced" ? answer(replacedBy ?? "") : next());
    };
    clock.afterTurn(() => {
      if (!hasLeft) unheld(next);
    });
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      if (look !== null) this.#parked.delete(look);
      for (let i = asked - 1; i >= 0; i--) desk.leave(tickets[i]!);
    };
  }

  async #sweep(runIds: readonly string[]): Promise<void> {
    const { store, hub, desk } = this.#options;
    if (await store.sweep(hub, { runIds, ageMs: STALE_MS }) > 0) desk.nudge();
  }

  #every(name: string, ms: number, work: () => Promise<void>): void {
    this.#after(name, ms, () => {
      work().catch((error) => this.#options.onTrouble?.(error)).finally(() => {
        if (!this.#isClosed) this.#every(name, ms, work);
      });
    });
  }

  #after(name: string, ms: number, work: () => void): void {
    const { clock } = this.#options;
    this.#timers.set(name, clock.at(clock.now() + ms, work));
  }
}
