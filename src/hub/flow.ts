import type { Clock } from "../../engine/mod.ts";
import {
  createFlow,
  createFlowWaits,
  createStartGate,
  type Flow,
  HubGate,
  KnownRules,
  TicketDesk,
} from "../flow/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { FlowWaits, StartGate } from "../runs/mod.ts";
import { createFlowStore, findStartedRun } from "../storage/mod.ts";
import { createIds } from "../system/ids.ts";
import type { RunnerPool } from "../spokes/mod.ts";
import type { Foundation } from "./foundation.ts";
import type { Startup } from "./startup.ts";

/** Another hub has given keys back: who waits may look. */
const RELEASED = "flow.released";
/** Limits or holds have changed. */
const CHANGED = "flow.changed";

/** Who may start now, for the engine, the starts of runs and the edges. */
export interface HubFlow {
  readonly flow: Flow;
  readonly gate: HubGate;
  /** For the use cases of runs. */
  readonly forRuns: {
    readonly gate: StartGate;
    readonly waits: FlowWaits;
    readonly findStarted: (
      params: { readonly orgId: string; readonly workflow: string; readonly key: string },
    ) => Promise<string | null>;
  };
}

/** Builds flow control. The bus, where there is one, only makes it faster: without it hubs look by themselves. */
export async function openFlow(
  startup: Startup,
  { foundation, clock, pool }: {
    readonly foundation: Foundation;
    readonly clock: Clock;
    readonly pool: RunnerPool;
  },
): Promise<HubFlow> {
  startup.step("flow");
  const { db, hubId, lease, bus } = foundation;
  const log = hubLogger("flow");
  const onTrouble = (error: unknown): void =>
    log.warn("Flow control cannot reach the database and tries again: {error}", { error: String(error) });
  const store = createFlowStore(db);
  const rules = new KnownRules(store);
  const hub = { hubId, epoch: lease.epoch };
  const desk = new TicketDesk({
    store,
    hub,
    clock,
    onTrouble,
    onReleased: () => bus?.publish(RELEASED, {}),
  });
  const gate = new HubGate({ desk, rules, store, hub, clock, onTrouble });
  rules.onChange(() =>
    pool.holdWhere((orgId, spoke) =>
      rules.hold(orgId, "spoke", spoke.name) !== null || rules.hold(orgId, "spoke", spoke.id) !== null
    )
  );
  await rules.refresh();
  bus?.subscribe(RELEASED, () => desk.nudge());
  bus?.subscribe(CHANGED, () => {
    rules.refresh().catch(onTrouble);
    desk.nudge();
  });
  gate.start();
  startup.onStop(() => gate.close());
  const changed = (): void => {
    desk.nudge();
    bus?.publish(CHANGED, {});
  };
  return {
    flow: createFlow(store, rules, changed),
    gate,
    forRuns: {
      gate: createStartGate({ rules, desk, ids: createIds(), now: () => clock.now() }),
      waits: createFlowWaits(store, rules),
      findStarted: (params) => findStartedRun(db, params),
    },
  };
}
