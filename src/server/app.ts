import { Hono } from "hono";
import { CallError } from "@alkdev/operations";
import { Admission } from "./admission.ts";
import { assertScoped } from "./assert_scoped.ts";
import { isRefusal } from "./authorize.ts";
import { errorResponse } from "./error_response.ts";
import { createFront } from "./front.ts";
import { createRouteHandler } from "./handle_route.ts";
import { HttpError } from "./http_error.ts";
import { DEFAULT_HTTP } from "./http_settings.ts";
import { createMountHandler, type Mount } from "./mount.ts";
import type { ServerDeps } from "./ports.ts";
import { problemResponse } from "./problem.ts";
import { requestIdOf } from "./request_id.ts";
import type { ReadTime } from "./read_deadline.ts";
import type { Route } from "./route.ts";
import { keyRoutes } from "./routes/keys.ts";
import { operationRoutes } from "./routes/operations.ts";
import { runRoutes } from "./routes/runs.ts";
import { spokeRoutes } from "./routes/spokes.ts";
import { systemRoutes } from "./routes/system.ts";
import { typeRoutes } from "./routes/types.ts";
import { versionRoutes } from "./routes/versions.ts";
import { workflowRoutes } from "./routes/workflows.ts";
import { upgradeWebSocket } from "./web_socket.ts";

/** What answers requests. `fetch` never rejects. */
export interface App {
  fetch(request: Request): Response | Promise<Response>;
  /** For tests: a path or a request. */
  request(input: string | Request, init?: RequestInit): Response | Promise<Response>;
  /** Every declared route, for documents and checks. */
  readonly routes: readonly Route[];
}

/** What other rooms add to the edge. */
export interface AppExtensions {
  /** Declared in the same way; one of them takes the place of the edge's own with the same method and path. */
  readonly routes?: readonly Route[];
  readonly mounts?: readonly Mount[];
}

/** The whole HTTP edge. */
export function createApp(deps: ServerDeps, { routes: extra = [], mounts = [] }: AppExtensions = {}): App {
  const taken = new Set(extra.map(({ method, path }) => `${method} ${path}`));
  const own: readonly Route[] = [
    ...workflowRoutes(deps),
    ...versionRoutes(deps),
    ...runRoutes(deps),
    ...operationRoutes(deps),
    ...typeRoutes(deps),
    ...spokeRoutes(deps),
    ...keyRoutes(deps),
    ...systemRoutes(deps, () => routes),
  ];
  const routes: readonly Route[] = [...own.filter(({ method, path }) => !taken.has(`${method} ${path}`)), ...extra];
  const http = { ...DEFAULT_HTTP, ...deps.http };
  const admission = new Admission(http);
  const reading: ReadTime = { ms: http.readMs, onLate: (work) => admission.keep(work) };
  const hono = new Hono();
  for (const route of routes) {
    assertScoped(`${route.method} ${route.path}`, route.scope);
    const handle = createRouteHandler(route, deps, { admission, readMs: http.readMs });
    hono.on(route.method, route.path, (context) => handle(context.req.raw, context.req.param()));
  }
  for (const mount of mounts) {
    assertScoped(mount.path, mount.scope);
    const handle = createMountHandler(mount, deps, reading);
    hono.all(mount.path, ({ req }) => handle(req.raw));
    hono.all(`${mount.path}/*`, ({ req }) => handle(req.raw));
  }
  hono.get("/ws", async ({ req: { raw } }) => {
    try {
      return await upgradeWebSocket(raw, deps, reading);
    } catch (error) {
      if (isRefusal(error)) deps.gate?.refused({ request: raw, route: "/ws", principal: null, code: error.code });
      return problemResponse(error, requestIdOf(raw.headers), deps.log);
    }
  });
  const allowed = createAllowedMethods([
    ...routes,
    { method: "GET", path: "/ws" },
    ...mounts.flatMap(({ path }) => MOUNT_METHODS.map((method) => ({ method, path }))),
  ]);
  hono.notFound(({ req }) => errorResponse(noRoute(req.method, req.path, allowed(req.path)), req.raw, deps.log));
  hono.onError((error, { req }) => errorResponse(error, req.raw, deps.log));
  const fetch = createFront({
    http,
    admission,
    auth: deps.auth,
    log: deps.log,
    accessSink: deps.onAccess,
    allowed,
    handle: (request) => hono.fetch(request),
  });
  return {
    fetch,
    request: (input, init) => fetch(new Request(typeof input === "string" ? new URL(input, ORIGIN) : input, init)),
    routes,
  };
}

/** Of requests that tests make by path alone. */
const ORIGIN = "http://localhost";

/** What a mount is asked by; which of them it takes is its own. */
const MOUNT_METHODS = ["GET", "POST", "DELETE"] as const;

/** Which methods a path has, HEAD with GET; asked only when nothing answered, and by OPTIONS. */
function createAllowedMethods(
  routes: readonly { readonly method: string; readonly path: string }[],
): (path: string) => readonly string[] {
  const patterns = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.split(/(:[A-Za-z]+(?:\{[^}]*\})?)/).map(patternOf).join("")}$`),
  }));
  return (path) => {
    const found = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    return found.has("GET") ? [...found, "HEAD"] : [...found];
  };
}

/** Of a part of a route's path: `:name` is one segment, `:name{.+}` as many as it likes. */
function patternOf(part: string): string {
  const [name, pattern] = part.split(/[{}]/);
  if (name?.startsWith(":")) return pattern ?? "[^/]+";
  return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function noRoute(method: string, path: string, allowed: readonly string[]): CallError {
  if (allowed.length === 0) {
    return new CallError("ROUTE_NOT_FOUND", `There is no route ${method} ${path.slice(0, 256)}: see /docs`);
  }
  const allow = allowed.join(", ");
  const message = `Route ${path.slice(0, 256)} does not have ${method}: wanted one of ${allow}`;
  return new HttpError("METHOD_NOT_ALLOWED", message, { headers: { allow } });
}
