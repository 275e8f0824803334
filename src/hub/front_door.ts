import type { HubConfig } from "../config/mod.ts";
import type { Readiness } from "../server/mod.ts";
import type { Startup } from "./startup.ts";

type Handler = (request: Request, remote: string) => Response | Promise<Response>;

/** The open port. Before the hub is ready, and once it stops, only its state can be asked for. */
export interface FrontDoor {
  readonly url: string;
  /** From now on this answers. */
  open(handler: Handler): void;
}

/** Listens. @throws when the address is taken or not this machine's */
export function listen(config: Pick<HubConfig, "host" | "port">, startup: Startup): FrontDoor {
  const closed: Handler = (request) => notReady(request, startup.readiness);
  let handler = closed;
  startup.closing.addEventListener("abort", () => handler = closed);
  const server = Deno.serve(
    {
      hostname: config.host,
      port: config.port,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    },
    (request, { remoteAddr }) => handler(request, "hostname" in remoteAddr ? remoteAddr.hostname : ""),
  );
  startup.onStop(() => server.shutdown());
  const { hostname, port } = server.addr;
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    open(next) {
      if (!startup.closing.aborted) handler = next;
    },
  };
}

function notReady(request: Request, { step }: Readiness): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/health") return Response.json({ status: step === "stopping" ? step : "starting", step });
  if (pathname === "/ready") return Response.json({ ready: false, step }, { status: 503 });
  const problem = {
    type: "about:blank",
    code: "NOT_READY",
    title: "The hub is not ready",
    detail: `The hub is not ready: it is at step "${step}"`,
    status: 503,
    requestId: crypto.randomUUID(),
  };
  return new Response(JSON.stringify(problem), {
    status: 503,
    headers: { "content-type": "application/problem+json", "retry-after": "1" },
  });
}
