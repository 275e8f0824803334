import { container, operation } from "../e2e/_hub_process.ts";
import type { Hub } from "./cluster.ts";

/** A run that a hub has acknowledged, and what it must return. */
export interface Acknowledged {
  readonly runId: string;
  readonly workflow: string;
  readonly output: unknown;
}

export interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** Attempts that were refused, cut or not answered. */
  readonly refused: () => number;
  /** Longest time from a client's first attempt to start a run to its acknowledgement, in ms. */
  readonly longestStallMs: () => number;
  resetStall(): void;
  stop(): Promise<void>;
}

const REQUEST_MS = 4_000;
const RETRY = {
  maxAttempts: 20,
  backoff: { kind: "fixed", initialMs: 250 },
  on: ["SPOKE_LOST", "OPERATION_NOT_FOUND"],
};

const step = (key: string, value: unknown, ms: number) => operation("chaos.step", key, { value, ms }, { retry: RETRY });
const root = (output: string, children: readonly unknown[]) =>
  container("workflow", children, { output: { $ref: output } });

/** Steps on spokes around a Map, a Sleep and a child run; and three local steps. */
const TEMPLATES: Readonly<Record<string, unknown>> = {
  chaos_child: root("nodes.inner", [step("inner", { $ref: "input.n" }, 20)]),
  chaos: root("nodes.last", [
    step("first", { $ref: "input.n" }, 40),
    container("map", [step("item", { $ref: "item" }, 30)], { key: "items", over: { $ref: "input.items" }, as: "item" }),
    {
      type: "workflow",
      props: { key: "child", name: "chaos_child", input: { n: { $ref: "nodes.first.value" } } },
      children: [],
    },
    { type: "sleep", props: { key: "nap", ms: 50 }, children: [] },
    step("last", { $ref: "nodes.child.value" }, 40),
  ]),
  chaos_local: root("nodes.c", [
    operation("core.echo", "a", { value: { $ref: "input.n" } }),
    operation("core.echo", "b", { value: { $ref: "nodes.a.value" } }),
    operation("core.echo", "c", { value: { $ref: "nodes.b.value" } }),
  ]),
};

/** Waits for the spokes first, unless only the hub's own operations are used. */
export async function putTemplates(hub: Hub, key: string, localOnly: boolean = false): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  for (let isThere = localOnly; !isThere; await pause(50)) {
    const response = await fetch(`${hub.url}/api/operations/chaos.step`, { headers });
    await response.body?.cancel();
    isThere = response.ok;
  }
  for (const [name, template] of Object.entries(TEMPLATES)) {
    if (localOnly && name !== "chaos_local") continue;
    const response = await fetch(`${hub.url}/api/workflows/${name}`, {
      method: "PUT",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ template }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Workflow "${name}" is refused: ${text}`);
  }
}

/** `clients` that start run after run, each at any hub that answers, again with the same key until one has acknowledged it. */
export function startLoad(
  params: {
    readonly hubs: readonly Hub[];
    readonly key: string;
    readonly clients: number;
    readonly pauseMs: number;
    /** Only runs of the hubs' own operations. */
    readonly localOnly?: boolean;
  },
): Load {
  const acknowledged: Acknowledged[] = [];
  const stop = new AbortController();
  let refused = 0;
  let stall = 0;
  let next = 0;
  const client = async (offset: number): Promise<void> => {
    for (let turn = offset; !stop.signal.aborted; turn++) {
      const n = next++;
      const isLocal = params.localOnly === true || n % 4 === 3;
      const workflow = isLocal ? "chaos_local" : "chaos";
      const since = Date.now();
      for (let attempt = 0;; attempt++) {
        const hub = params.hubs[(turn + attempt) % params.hubs.length]!;
        const runId = await start(hub, { key: params.key, workflow, n });
        stall = Math.max(stall, Date.now() - since);
        if (runId !== null) {
          acknowledged.push({ runId, workflow, output: { value: isLocal ? n : n + 3 } });
          break;
        }
        refused++;
        if (stop.signal.aborted) return;
        await pause(100);
      }
      await pause(params.pauseMs);
    }
  };
  const clients = Array.from({ length: params.clients }, (_, i) => client(i));
  return {
    acknowledged,
    refused: () => refused,
    longestStallMs: () => stall,
    resetStall: () => stall = 0,
    stop: async () => {
      stop.abort();
      await Promise.all(clients);
    },
  };
}

/** Null: not acknowledged. */
async function start(
  hub: Hub,
  { key, workflow, n }: { readonly key: string; readonly workflow: string; readonly n: number },
): Promise<string | null> {
  try {
    const response = await fetch(`${hub.url}/api/workflows/${workflow}/runs`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "idempotency-key": `run-${n}`,
      },
      body: JSON.stringify({ input: { n, items: [n, n + 1, n + 2] } }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as { id: string }).id : null;
  } catch {
    return null;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
