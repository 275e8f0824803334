/** A small HTTP service with an OpenAPI document, for tests of clients. */

/** What a request to the service looked like. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

export interface Service {
  readonly url: string;
  readonly host: string;
  /** Its document, which names no server but itself. */
  document(): Record<string, unknown>;
  /** All requests but those for the document, oldest first. */
  readonly seen: readonly Seen[];
  /** Answers every request with this status; null: as it should. */
  failWith: number | null;
  /** One operation more in the document. */
  hasMore: boolean;
  /** Lets go of the requests for `/slow`. */
  release(): void;
  stop(): Promise<void>;
}

const SECURITY_HEADER = "authorization";

export function startService(port = 0): Service {
  const seen: Seen[] = [];
  const state = { failWith: null as number | null, hasMore: false };
  let waiting: (() => void)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/openapi.json") return Response.json(document());
    seen.push({ method: request.method, path: pathname + new URL(request.url).search, headers: request.headers });
    if (state.failWith !== null) return new Response("no", { status: state.failWith });
    if (pathname.startsWith("/pets/")) {
      const id = pathname.slice("/pets/".length);
      if (id === "none") return Response.json({ error: "no such pet" }, { status: 404 });
      return Response.json({ id, verbose: searchParams.get("verbose") }, { headers: { "set-cookie": "session=abc" } });
    }
    if (pathname === "/pets") return Response.json({ made: await request.json() }, { status: 201 });
    if (pathname === "/whoami") {
      return Response.json({ authorization: request.headers.get(SECURITY_HEADER), all: [...request.headers] });
    }
    if (pathname === "/slow") {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        request.signal.addEventListener("abort", () => resolve());
      });
      return Response.json({ slow: true });
    }
    if (pathname === "/ticks") {
      const frames = [1, 2, 3].map((n) => `data: {"n": ${n}}\n\n`).join("");
      return new Response(frames, { headers: { "content-type": "text/event-stream" } });
    }
    if (pathname === "/more") return Response.json({ more: true });
    return new Response(null, { status: 404 });
  });
  const { port: bound } = server.addr;
  const host = `127.0.0.1:${bound}`;
  const json = (schema: unknown = {}) => ({ 200: { description: "ok", content: { "application/json": { schema } } } });
  const operation = (operationId: string, extra: Record<string, unknown> = {}) => ({
    operationId,
    responses: json(),
    ...extra,
  });
  const document = (): Record<string, unknown> => ({
    openapi: "3.1.0",
    info: { title: "Pets", version: "2.0.0" },
    servers: [{ url: `http://${host}/` }],
    paths: {
      "/pets/{id}": {
        get: operation("getPet", {
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "verbose", in: "query", schema: { type: "boolean" } },
          ],
        }),
      },
      "/pets": {
        post: operation("makePet", {
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  required: ["name"],
                  properties: { name: { type: "string", pattern: "^(a+)+$" } },
                },
              },
            },
          },
        }),
      },
      "/whoami": { get: operation("whoami") },
      "/slow": { get: operation("slow") },
      "/ticks": {
        get: { operationId: "ticks", responses: { 200: { description: "ok", content: { "text/event-stream": {} } } } },
      },
      ...(state.hasMore && { "/more": { get: operation("more") } }),
    },
  });
  return {
    url: `http://${host}`,
    host,
    document,
    seen,
    get failWith() {
      return state.failWith;
    },
    set failWith(status) {
      state.failWith = status;
    },
    get hasMore() {
      return state.hasMore;
    },
    set hasMore(value) {
      state.hasMore = value;
    },
    release() {
      for (const go of waiting) go();
      waiting = [];
    },
    async stop() {
      for (const go of waiting) go();
      await server.shutdown();
    },
  };
}
