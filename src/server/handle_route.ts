import type { TSchema } from "@alkdev/typebox";
import { type TypeCheck, TypeCompiler } from "@alkdev/typebox/compiler";
import { CallError, collectErrors } from "@alkdev/operations";
import { asCaller, type Principal } from "../auth/mod.ts";
import type { Admission } from "./admission.ts";
import { admit, authenticate, isRefusal } from "./authorize.ts";
import { createQueryDecoder } from "./decode_query.ts";
import { isAdministrative, showRate, STARTS } from "./gate.ts";
import { meantSchema } from "./meant_schema.ts";
import type { ServerDeps } from "./ports.ts";
import { problemResponse, toProblem } from "./problem.ts";
import { type JsonBody, readJsonBody } from "./read_body.ts";
import { type Reply, toResponse } from "./reply.ts";
import { withinReadTime } from "./read_deadline.ts";
import { createAccessRule } from "./resource_rule.ts";
import { requestIdOf } from "./request_id.ts";
import type { Route } from "./route.ts";
import { untilRevoked } from "./until_revoked.ts";

/** Answers requests of one route. Never rejects. */
export type RouteHandler = (request: Request, params: Readonly<Record<string, string>>) => Promise<Response>;

/** What bounds the requests of every route. */
export interface RouteLimits {
  readonly admission: Admission;
  /** How long reading may take. */
  readonly readMs: number;
}

/**
 * Authenticates, authorises, decodes and checks, in this order: who may not use a route learns nothing of what it takes, and a
 * body is read for nobody else. Everything that can be made once is made here, not per request.
 */
export function createRouteHandler(
  route: Route,
  deps: ServerDeps,
  { admission, readMs: usual }: RouteLimits,
): RouteHandler {
  const { auth, log } = deps;
  const isTagged = route.isConditional === true;
  const isRead = route.method === "GET";
  const isStart = STARTS.has(route.name);
  const isAct = isAdministrative(route);
  const reading = { ms: route.readMs ?? usual, onLate: (work: Promise<unknown>) => admission.keep(work) };
  const limits = { ...deps.limits, ...route.limits };
  const rule = route.scope === null ? null : createAccessRule(route, deps.runs);
  const query = route.anyQuery === true ? { decode: () => ({}) } : createQueryDecoder(route.query);
  const checkParams = route.params === undefined ? null : TypeCompiler.Compile(route.params);
  const checkBody = route.body === undefined ? null : TypeCompiler.Compile(route.body);
  const none: JsonBody = { value: undefined, bytes: 0 };

  const answer: RouteHandler = async (request, params) => {
    const { headers } = request;
    const requestId = requestIdOf(headers);
    let principal: Principal | null = null;
    try {
      principal = rule === null
        ? null
        : auth.remembered(headers) ?? await withinReadTime(authenticate(request, deps), reading);
      const counted = principal === null ? null : admit(principal, deps);
      const rate = counted === null ? null : await withinReadTime(counted, reading);
      if (rule !== null && principal !== null) {
        const narrowed = rule(principal, params);
        if (narrowed !== undefined) await withinReadTime(narrowed, reading);
      }
      if (checkParams !== null && !checkParams.Check(params)) throw invalidParams(route, params);
      const decoded = query.decode(request.url);
      const { value, bytes } = checkBody !== null ? await readJsonBody(request, limits) : none;
      if (principal?.limits !== undefined && isStart) await deps.gate?.admit(principal, "starts");
      const given = route.handle({
        principal,
        // The caller alone is what use cases may keep.
        caller: principal === null ? null : asCaller(principal),
        params,
        query: decoded,
        body: checkBody === null ? undefined : decodeBody(checkBody, value, route.bodyDefault),
        bodyBytes: bytes,
        headers,
        requestId,
        request,
      });
      // What changes something is waited for: nobody could say whether it has happened.
      const answered: Reply | Response = isRead && given instanceof Promise
        ? await withinReadTime(given, reading)
        : await given;
      if (principal !== null && isAct) {
        await deps.gate?.acted({ request, principal, name: route.name, route: route.path, params });
      }
      const response = toResponse(answered, { requestId, headers, isTagged });
      showRate(response.headers, rate);
      return principal === null ? response : untilRevoked(response, principal.keyId, deps.watchKey);
    } catch (error) {
      if (isRefusal(error)) deps.gate?.refused({ request, route: route.path, principal, code: error.code });
      const { onError } = route;
      return onError === undefined
        ? problemResponse(error, requestId, log)
        : onError(error, toProblem(error, requestId, log));
    }
  };
  if (deps.onAnswered === undefined) return answer;
  return async (request, params) => {
    const since = performance.now();
    const response = await answer(request, params);
    const { path, method } = route;
    deps.onAnswered?.({ route: path, method, status: response.status, ms: performance.now() - since });
    return response;
  };
}

function decodeBody(check: TypeCheck<TSchema>, value: unknown, fallback: unknown): unknown {
  const body = value === undefined ? fallback : value;
  if (body === undefined) {
    const errors = [{ path: "", message: "is missing: wanted JSON" }];
    throw new CallError("VALIDATION_ERROR", "Body is missing: wanted JSON", { errors });
  }
  if (check.Check(body)) return body;
  const errors = bodyErrors(check.Schema(), body);
  const detail = errors.map(({ path, message }) => `${path === "" ? "Body" : `Field "${path.slice(1)}"`} ${message}`);
  throw new CallError("VALIDATION_ERROR", detail.join("; "), { errors });
}

function bodyErrors(schema: TSchema, body: unknown): ReturnType<typeof collectErrors> {
  const meant = meantSchema(schema, body);
  if ("schema" in meant) return collectErrors(meant.schema, body);
  return [{ path: `/${meant.field}`, message: `wanted one of ${meant.values.join(", ")}` }];
}

function invalidParams(route: Route, params: unknown): CallError {
  const found = route.params === undefined ? [] : collectErrors(route.params, params);
  const errors = found.map(({ path, message }) => ({ path: `:${path.slice(1)}`, message }));
  const detail = errors.map(({ path, message }) => `"${path.slice(1)}" ${message}`).join("; ");
  return new CallError("VALIDATION_ERROR", `Path parameter ${detail}`, { errors });
}
