import { decodeRegistration } from "../../spokes/mod.ts";
import { CheckSession, type CheckSessionHost, isRecord, type RegistrationAnswer } from "./check_session.ts";

/** How often the spoke is to say that it is there. */
export const HEARTBEAT_MS = 500;
/** The server pings a silent spoke this often, in seconds, and cuts it if no pong comes. */
const PING_SECONDS = 5;

/** A hub as a spoke sees it, with one spoke: it takes registrations as a real one does, and asks for what the checks ask for. */
export class CheckHub implements CheckSessionHost, AsyncDisposable {
  readonly key: string = `check-${crypto.randomUUID()}`;
  /** In order of connection. */
  readonly sessions: CheckSession[] = [];
  /** How the key came. */
  keyIn: string | null = null;
  /** Why somebody was sent away. */
  readonly refused: string[] = [];
  /** The next registration is answered with `batch: false`, whatever the spoke says. */
  refusesBatches = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #watchers = new Set<() => void>();
  #token: string | null = null;
  #spokeId: string = crypto.randomUUID();

  /** @param port 0: any that is free */
  constructor(port: number) {
    this.#server = Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, (request) => this.#upgrade(request));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.addr.port}/ws`;
  }

  /** The first session from number `from` on that has registered, or been refused. */
  async session(from: number, withinMs: number): Promise<CheckSession | null> {
    const end = Date.now() + withinMs;
    while (true) {
      for (const session of this.sessions.slice(from)) {
        const settled = await session.until(
          () => session.registered !== null || session.refusal !== null || session.closed !== null,
          Math.max(1, end - Date.now()),
        );
        if (settled === true && (session.registered !== null || session.refusal !== null)) return session;
      }
      const left = end - Date.now();
      if (left <= 0) return null;
      await this.#change(left);
    }
  }

  register(input: unknown): RegistrationAnswer {
    const { resume, batch, operations } = decodeRegistration(input);
    if (operations.length === 0) throw new Error("A registration without operations makes no spoke");
    const resumed = resume !== null && resume === this.#token;
    if (!resumed) [this.#token, this.#spokeId] = [crypto.randomUUID(), crypto.randomUUID()];
    const agreed = batch && !this.refusesBatches;
    return {
      spokeId: this.#spokeId,
      resume: this.#token ?? "",
      resumed,
      heartbeatMs: HEARTBEAT_MS,
      batch: agreed,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.close(1000, "The check is over");
    await this.#server.shutdown();
  }

  #upgrade(request: Request): Response {
    const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
    const places: readonly (readonly [string, string | null | undefined])[] = [
      ["header Authorization", request.headers.get("authorization")?.replace(/^bearer /i, "")],
      ["header x-api-key", request.headers.get("x-api-key")],
      ["subprotocol bearer.<key>", offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length)],
    ];
    const given = places.find(([, key]) => key === this.key);
    const { pathname } = new URL(request.url);
    if (pathname !== "/ws") return this.#refuse(`path ${pathname}: wanted /ws`, 404);
    if (given === undefined) return this.#refuse("no key, or another than the one given", 401);
    if (offered.some((name) => name !== "") && !offered.includes("alkdev.v1")) {
      return this.#refuse('subprotocols without "alkdev.v1"', 400);
    }
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return this.#refuse("no WebSocket upgrade", 426);
    this.keyIn = given[0];
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: PING_SECONDS });
    if (offered.includes("alkdev.v1")) response.headers.set("sec-websocket-protocol", "alkdev.v1");
    this.sessions.push(new CheckSession(socket, this));
    this.#look();
    return response;
  }

  #refuse(why: string, status: number): Response {
    this.refused.push(why);
    this.#look();
    return new Response(why, { status });
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(stop);
        resolve();
      };
      const timer = setTimeout(stop, withinMs);
      this.#watchers.add(stop);
    });
  }
}

/** Ids of the operations that a registration offers. */
export function operationsOf(session: CheckSession): ReadonlySet<string> {
  const operations = session.registration?.["operations"];
  if (!Array.isArray(operations)) return new Set();
  return new Set(operations.filter(isRecord).map((spec) => `${spec["namespace"]}.${spec["name"]}`));
}
