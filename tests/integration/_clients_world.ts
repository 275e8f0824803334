/** Clients as a hub has them, without the hub. */
import { OperationRegistry, type ResponseEnvelope } from "@alkdev/operations";
import {
  type ClientPool,
  type Clients,
  type ClientStore,
  createClientPool,
  createClients,
  createMemoryClientStore,
} from "../../src/clients/mod.ts";
import type { Clock } from "../../engine/ports.ts";
import { generateKeyRing, type KeyRing } from "../../src/crypto/mod.ts";
import { createDispatcher, type Operations, type RemoteOperations } from "../../src/dispatch/mod.ts";
import { createEgress } from "../../src/egress/mod.ts";
import { clientsBefore } from "../../src/hub/clients.ts";
import { createSystemClock } from "../../src/system/clock.ts";

export const CALLER = { identity: { id: "ann", scopes: ["*"] }, orgId: "default" } as const;
export const STRANGER = { identity: { id: "eve", scopes: ["*"] }, orgId: "other" } as const;

/** Nothing else offers operations. */
const NOBODY: RemoteOperations = {
  spec: () => undefined,
  specs: () => [],
  call: () => Promise.reject(new Error("not expected")),
  stream: () => {
    throw new Error("not expected");
  },
};

export interface ClientsWorld extends AsyncDisposable {
  readonly clients: Clients;
  readonly pool: ClientPool;
  readonly operations: Operations;
  readonly store: ClientStore;
  readonly keyRing: KeyRing;
  readonly progress: unknown[];
  readonly logs: string[];
  call(operationId: string, input?: unknown, signal?: AbortSignal): Promise<ResponseEnvelope>;
  names(): readonly string[];
}

export function clientsWorld(options: {
  readonly allowPrivate?: readonly string[];
  readonly commands?: readonly {
    readonly run: string;
    readonly moreArgs?: boolean;
    readonly env?: readonly string[];
  }[];
  readonly store?: ClientStore;
  readonly keyRing?: KeyRing;
  readonly clock?: Clock;
} = {}): ClientsWorld {
  const { allowPrivate = [], commands = [], store = createMemoryClientStore(), keyRing = generateKeyRing() } = options;
  const { clock = createSystemClock() } = options;
  const egress = createEgress({ clock, allowPrivate });
  const progress: unknown[] = [];
  const logs: string[] = [];
  const say = (message: string, properties?: Record<string, unknown>) =>
    void logs.push(`${message} ${JSON.stringify(properties)}`);
  const pool = createClientPool({
    store,
    keyRing,
    egress,
    clock,
    random: () => 0,
    commands,
    observer: { progress: (_call, value) => void progress.push(value) },
    log: { info: say, warn: say },
    onCatalog: () => {},
  });
  const clients = createClients({
    store,
    pool,
    keyRing,
    egress,
    commands,
    now: () => clock.now(),
    takenBy: (_orgId, namespace) => namespace === "core" ? "the hub" : null,
    onChange: () => {},
    wait: (ms) => new Promise((resolve) => void clock.at(clock.now() + ms, resolve)),
  });
  const { operations } = createDispatcher({
    registry: new OperationRegistry(),
    pool: clientsBefore(pool, NOBODY),
    clock,
    egress,
  });
  return {
    clients,
    pool,
    operations,
    store,
    keyRing,
    progress,
    logs,
    call: (operationId, input = {}, signal) =>
      operations.call({ caller: CALLER, operationId, input, ...(signal !== undefined && { signal }) }),
    names: () =>
      operations.list(CALLER).map(({ namespace, name }) => `${namespace}.${name}`).filter((id) =>
        !/^(core|hub)\./.test(id)
      ),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

/** Asks again until `probe` holds: the other side is a process or a timer of its own. */
export async function eventually(
  what: string,
  probe: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!await probe()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
