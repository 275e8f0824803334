import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import type { Principal } from "../../auth/mod.ts";
import { watchResource } from "../changes/watch_resource.ts";
import { noteRefusal } from "../note_refusal.ts";
import { toProtocolError } from "../protocol_error.ts";
import { authInfoOf, principalOf } from "../session_context.ts";
import { createServer } from "./create_server.ts";
import { EventMemory } from "./event_memory.ts";
import type { HubServer } from "./hub_server.ts";
import { errorResponse } from "./responses.ts";
import type { ServerParts } from "./server_parts.ts";

/** Of one key at once; the one unused for longest makes room. */
const MAX_PER_KEY = 100;
const MAX_SUBSCRIPTIONS = 200;
/** How long a client whose stream broke should wait before it comes back. */
const RETRY_MS = 1_000;

interface Session {
  readonly id: string;
  readonly keyId: string;
  readonly server: HubServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Ends what it watches. */
  readonly ended: AbortController;
  /** By resource. */
  readonly subscriptions: Map<string, AbortController>;
  usedAt: number;
  /** Requests and streams under way. */
  open: number;
}

/**
 * Sessions of the 2025 revisions. They live in this process: a client whose session is gone is told 404 and begins another, as
 * the protocol has it. A session is its key's alone.
 */
export class Sessions {
  readonly #parts: ServerParts;
  readonly #sessions = new Map<string, Session>();
  #sweep: ReturnType<typeof setInterval> | null = null;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** `body`: what was read of the request; undefined: it has none. */
  async handle(request: Request, body: unknown, principal: Principal): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    const session = id === null ? await this.#begin(request, principal) : this.#sessions.get(id);
    if (session === undefined || session.keyId !== principal.keyId) {
      return errorResponse(404, -32001, "There is no such session: begin another");
    }
    session.usedAt = Date.now();
    session.open++;
    const done = (): void => {
      session.open--;
      session.usedAt = Date.now();
    };
    let response: Response;
    try {
      response = await session.transport.handleRequest(request, {
        ...(body !== undefined && { parsedBody: body }),
        authInfo: authInfoOf(principal, request),
      });
    } catch (error) {
      done();
      throw error;
    }
    // A first request that begins no session leaves nothing behind.
    if (id === null && !this.#sessions.has(session.id)) await this.#end(session);
    return whenDone(response, done);
  }

  async close(): Promise<void> {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)));
  }

  async #begin(request: Request, principal: Principal): Promise<Session> {
    const allTools = new URL(request.url).searchParams.get("tools") === "workflows";
    const server = createServer(this.#parts, { allTools });
    const id = crypto.randomUUID();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: new EventMemory(),
      retryInterval: RETRY_MS,
      maxRequestBodySize: this.#parts.deps.limits.bodyBytes,
      onsessioninitialized: () => this.#add(session),
      onsessionclosed: () => this.#end(session),
    });
    const session: Session = {
      id,
      keyId: principal.keyId,
      server,
      transport,
      ended: new AbortController(),
      subscriptions: new Map(),
      usedAt: Date.now(),
      open: 0,
    };
    this.#serveSubscriptions(session);
    server.oninitialized = () => this.#watchLists(session, principal);
    await server.connect(transport);
    return session;
  }

  #add(session: Session): void {
    this.#sessions.set(session.id, session);
    const own = [...this.#sessions.values()].filter(({ keyId }) => keyId === session.keyId);
    if (own.length > MAX_PER_KEY) {
      const oldest = own.reduce((left, right) => right.usedAt < left.usedAt ? right : left);
      void this.#end(oldest);
    }
    this.#sweep ??= setInterval(() => this.#sweepIdle(), Math.max(this.#parts.times.sessionIdle / 10, 10));
    Deno.unrefTimer(Number(this.#sweep));
  }

  #sweepIdle(): void {
    const before = Date.now() - this.#parts.times.sessionIdle;
    for (const session of this.#sessions.values()) {
      if (session.open === 0 && session.usedAt < before) void this.#end(session);
    }
  }

  async #end(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    session.ended.abort();
    for (const subscription of session.subscriptions.values()) subscription.abort();
    session.subscriptions.clear();
    await session.server.close().catch(() => {});
    if (this.#sessions.size === 0 && this.#sweep !== null) {
      clearInterval(this.#sweep);
      this.#sweep = null;
    }
  }

  #watchLists({ server, ended }: Session, principal: Principal): void {
    this.#parts.lists.watch(principal, ended.signal, (name) => {
      const sent = name === "tools" ? server.sendToolListChanged() : server.sendPromptListChanged();
      // Nobody listens: the client will ask.
      sent.catch(() => {});
    });
  }

  #serveSubscriptions({ server, subscriptions }: Session): void {
    const { deps, resources } = this.#parts;
    server.setRequestHandler("resources/subscribe", async ({ params: { uri } }, context) => {
      if (subscriptions.has(uri)) return {};
      if (subscriptions.size >= MAX_SUBSCRIPTIONS) throw new Error("Too many subscriptions");
      const stop = new AbortController();
      subscriptions.set(uri, stop);
      try {
        const params = { principal: principalOf(context), uri, signal: stop.signal };
        await watchResource(deps, resources, params, () => void server.sendResourceUpdated({ uri }).catch(() => {}));
        return {};
      } catch (error) {
        subscriptions.delete(uri);
        noteRefusal(deps, error, context, uri);
        throw toProtocolError(error, deps.log, "resources/subscribe");
      }
    });
    server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      subscriptions.get(uri)?.abort();
      subscriptions.delete(uri);
      return {};
    });
  }
}

/** The response, with `done` called when its body has ended, whoever ended it. */
function whenDone(response: Response, done: () => void): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: ended, value } = await reader.read();
        if (!ended) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      done();
    },
    cancel(reason) {
      done();
      return reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
