/** A pool behind a real socket server, and the clients that tests talk to it with. */
import { CallError, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import { connectSpoke, type SpokeHandle, type SpokeOptions } from "@alkdev/spoke";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import { createMemorySpokeStore } from "./memory_spoke_store.ts";
import type { HubCalls, RunnerPool, SpokePrincipal } from "./ports.ts";
import { createRunnerPool, type RunnerPoolOptions } from "./runner_pool.ts";

/** Time that moves when told to; the end of a turn is the real one. */
export class TestClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  at(due: number, callback: () => void): () => void {
    const timer = { due, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  afterTurn(callback: () => void): void {
    setImmediate(callback);
  }

  /** Fires what falls due on the way, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (true) {
      const due = [...this.#timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.due);
      due.callback();
    }
    this.#now = end;
  }
}

export interface TestHub extends AsyncDisposable {
  readonly pool: RunnerPool;
  readonly clock: TestClock;
  readonly url: string;
  /** Sockets on the hub's side, in order of connection. */
  readonly sockets: WebSocket[];
  /** Resolves once `condition` holds; looked at whenever the pool changes or a message arrives. */
  until(condition: () => boolean): Promise<void>;
  spoke(options?: Partial<SpokeOptions>): SpokeHandle;
  raw(key?: string): Promise<RawClient>;
}

/** Keys are `<org>/<identity>/<scope>+<scope>`, written with dots for the subprotocol. */
function toPrincipal(key: string): SpokePrincipal {
  const [orgId = "acme", id = "ann", scopes = "spoke:connect"] = key.split("_");
  return {
    orgId,
    identity: { id, scopes: scopes.split("+").map((scope) => scope.replace("~", ":")) },
    keyId: key,
    address: null,
  };
}

export const SPOKE_KEY = "acme_ann_spoke~connect";

const noCalls: HubCalls = {
  spec: () => undefined,
  call: ({ operationId }) => Promise.reject(new CallError("OPERATION_NOT_FOUND", `No ${operationId}`)),
  stream: ({ operationId }) => {
    throw new CallError("OPERATION_NOT_FOUND", `No ${operationId}`);
  },
};

export function startTestHub(options: Partial<RunnerPoolOptions> = {}): TestHub {
  const clock = new TestClock();
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of [...watchers]) watcher();
  };
  const pool = createRunnerPool({
    hubId: "hub-1",
    clock,
    store: createMemorySpokeStore(),
    calls: noCalls,
    onChange: look,
    ...options,
  });
  const sockets: WebSocket[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    const bearer = offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length);
    const key = bearer ?? request.headers.get("authorization")?.replace("Bearer ", "") ?? null;
    if (key === null || key === "nobody") return new Response("Wrong key", { status: 401 });
    // Not by Deno's option: it does not read a list of protocols without spaces, as the package ws writes it.
    const { socket, response } = Deno.upgradeWebSocket(request);
    if (offered.includes("alkdev.v1")) response.headers.set("sec-websocket-protocol", "alkdev.v1");
    sockets.push(socket);
    pool.accept(socket, toPrincipal(key));
    socket.addEventListener("message", look);
    socket.addEventListener("close", look);
    return response;
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const handles: SpokeHandle[] = [];
  const clients: RawClient[] = [];
  return {
    pool,
    clock,
    url,
    sockets,
    until(condition) {
      return new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          watchers.delete(check);
          resolve();
        };
        watchers.add(check);
        check();
      });
    },
    spoke(more = {}) {
      const handle = connectSpoke({
        url,
        key: SPOKE_KEY,
        name: "worker",
        operations: [],
        random: () => 0,
        ...more,
      });
      handles.push(handle);
      return handle;
    },
    async raw(key = SPOKE_KEY) {
      const client = await RawClient.open(url, key);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(handles.map((handle) => handle.close().catch(() => {})));
      for (const client of clients) client.socket.close();
      await Promise.all(clients.map((client) => client.closed));
      pool.close();
      await server.shutdown();
    },
  };
}

/** A client without an SDK: it says what it is told to. */
export class RawClient {
  readonly socket: WebSocket;
  readonly closed: Promise<CloseEvent>;
  readonly #received: Record<string, unknown>[] = [];
  #wake = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<CloseEvent>();
    this.closed = promise;
    socket.addEventListener("close", (event) => resolve(event));
    socket.addEventListener("message", ({ data }) => {
      const value = JSON.parse(data);
      this.#received.push(...(Array.isArray(value) ? value : [value]));
      this.#wake();
    });
  }

  static open(url: string, key: string): Promise<RawClient> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${key}`]);
    const client = new RawClient(socket);
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(client));
      socket.addEventListener("error", () => reject(new Error("Could not connect")));
    });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  event(type: string, payload: unknown): void {
    this.send({ type, id: "", payload });
  }

  /** Makes a call of the hub and gives the envelope that answers it. */
  async ask(
    operationId: string,
    input: unknown,
    requestId: string = crypto.randomUUID(),
  ): Promise<Record<string, unknown>> {
    this.event("call.requested", { requestId, operationId, input });
    return await this.next((message) => payloadOf(message)["requestId"] === requestId);
  }

  /** The next envelope that fits; others before it are passed over. */
  async next(fits: (message: Record<string, unknown>) => boolean = () => true): Promise<Record<string, unknown>> {
    while (true) {
      const message = this.#received.shift();
      if (message === undefined) await new Promise<void>((resolve) => this.#wake = resolve);
      else if (fits(message)) return message;
    }
  }
}

export function payloadOf(message: Record<string, unknown>): Record<string, unknown> {
  const { payload } = message;
  return typeof payload === "object" && payload !== null ? { ...payload } : {};
}

/** What is in the data of a `call.responded`. */
export function dataOf(message: Record<string, unknown>): Record<string, unknown> {
  const { output } = payloadOf(message);
  const data = typeof output === "object" && output !== null && "data" in output ? output.data : undefined;
  return typeof data === "object" && data !== null ? { ...data } : {};
}

let calls = 0;

/** A call of a run, with everything that a test does not care about filled in. */
export function testCall(call: Partial<DispatchedCall> & Pick<DispatchedCall, "operationId">): DispatchedCall {
  return {
    requestId: `call-${++calls}`,
    input: {},
    identity: { id: "ann", scopes: [] },
    orgId: "acme",
    runId: "run-1",
    nodeKey: "a",
    attempt: 1,
    parentRequestId: "run-1",
    deadline: null,
    spoke: null,
    signal: new AbortController().signal,
    ...call,
  };
}

/** Calls through the pool, as the dispatcher does. */
export function callThrough(
  { pool }: TestHub,
  call: Partial<DispatchedCall> & Pick<DispatchedCall, "operationId">,
): Promise<ResponseEnvelope> {
  const complete = testCall(call);
  return pool.call(complete, pool.spec(complete.orgId, complete.operationId) ?? NO_SPEC);
}

export const NO_SPEC: OperationSpec = {
  namespace: "test",
  name: "none",
  version: "1.0.0",
  type: "mutation",
  description: "",
  inputSchema: {} as OperationSpec["inputSchema"],
  outputSchema: {} as OperationSpec["outputSchema"],
  accessControl: { requiredScopes: [] },
};
