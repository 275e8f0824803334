import { Type } from "@alkdev/typebox";
import { CallError, hasScopeFor, operationId, type OperationSpec, type ResponseEnvelope } from "@alkdev/operations";
import type { Caller } from "../../runs/mod.ts";
import { HttpError } from "../http_error.ts";
import { paginate } from "../paginate.ts";
import type { OperationsPort, ServerDeps } from "../ports.ts";
import { toProblem } from "../problem.ts";
import { assertFieldSize } from "../read_body.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { EnvelopeSchema, OperationSchema } from "../schemas/catalog.ts";
import type { Json } from "../schemas/json.ts";
import { pageOf } from "../schemas/nullable.ts";
import { Cursor, IdParams, Limit, Name, SearchText } from "../schemas/parameters.ts";
import { sseFrame } from "../sse_frame.ts";
import { sseResponse } from "../sse_response.ts";
import { whileConnected } from "../while_connected.ts";
import { HEARTBEAT_MS } from "./run_events.ts";

const head = { tag: "operations" } as const;

/** `/api/operations`. */
export function operationRoutes(deps: ServerDeps): readonly Route[] {
  return [listRoute(deps.operations), getRoute(deps.operations), callRoute(deps), streamRoute(deps)];
}

function listRoute(operations: OperationsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/operations",
    name: "listOperations",
    summary: "Operations that the caller may call, by id",
    scope: "operation:read",
    query: Type.Object({
      q: Type.Optional(SearchText),
      namespace: Type.Optional(Name),
      type: Type.Optional(
        Type.Union([Type.Literal("query"), Type.Literal("mutation"), Type.Literal("subscription")]),
      ),
      limit: Limit,
      cursor: Cursor,
    }),
    responses: { 200: { description: "A page of operations", schema: pageOf(OperationSchema) } },
    handle({ caller, query }) {
      const found = operations.list(caller).filter((spec) =>
        hasScopeFor(caller.identity.scopes, "operation:read", operationId(spec)) &&
        (query.namespace === undefined || spec.namespace === query.namespace) &&
        (query.type === undefined || spec.type === query.type) &&
        (query.q === undefined || mentions(spec, query.q))
      );
      const page = paginate(found, operationId, query);
      return ok({ items: page.items.map(viewOf), nextCursor: page.nextCursor });
    },
  });
}

function getRoute(operations: OperationsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/operations/:id",
    name: "getOperation",
    summary: "What an operation takes and gives",
    scope: "operation:read",
    params: IdParams,
    responses: { 200: { description: "The operation", schema: OperationSchema } },
    handle({ caller, params }) {
      const spec = requireOperation(operations, caller, params.id);
      return ok({ ...viewOf(spec), versions: operations.versions(caller, params.id) });
    },
  });
}

function callRoute({ operations, limits }: ServerDeps): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/operations/:id",
    name: "callOperation",
    summary: "Call a query or mutation",
    scope: "operation:call",
    params: IdParams,
    body: Type.Unsafe<Json>(Type.Unknown({ description: 'The input, as `{"input": …}` or bare' })),
    bodyDefault: {},
    responses: { 200: { description: "What it answered", schema: EnvelopeSchema } },
    async handle({ caller, params, body, bodyBytes, request }) {
      const input = inputOf(body);
      assertFieldSize("input", input, bodyBytes, limits.inputBytes);
      const spec = requireOperation(operations, caller, params.id);
      if (spec.type === "subscription") throw wrongKind(params.id, `${params.id}/stream`, "a subscription");
      try {
        const call = (signal: AbortSignal) => operations.call({ caller, operationId: params.id, input, signal });
        return ok(await whileConnected(request, call));
      } catch (error) {
        throw withDeclaredStatus(error, spec);
      }
    },
  });
}

/** `{"input": …}` and nothing else is a wrapped input; any other body is the input itself. */
function inputOf(body: Json): Json {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.keys(body).length === 1 && "input" in body ? body.input ?? {} : body;
}

function streamRoute(deps: ServerDeps): Route {
  const { operations } = deps;
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/operations/:id/stream",
    name: "streamOperation",
    summary: "Values of a subscription as server-sent events: `data`, then `end` or `error`",
    scope: "operation:call",
    params: IdParams,
    query: Type.Object({ input: Type.Optional(Type.String({ description: "The input, as JSON" })) }),
    responses: { 200: { description: "Envelopes", contentType: "text/event-stream", schema: EnvelopeSchema } },
    async handle({ caller, params, query, requestId }) {
      const spec = requireOperation(operations, caller, params.id);
      if (spec.type !== "subscription") throw wrongKind(params.id, params.id, `a ${spec.type}`);
      const input = parseInput(query.input);
      const stopped = new AbortController();
      const values = operations.stream({ caller, operationId: params.id, input, signal: stopped.signal });
      const items = await withFirstErrors(values[Symbol.asyncIterator](), spec);
      let id = 0;
      return sseResponse<ResponseEnvelope>({
        items,
        frame: (envelope) => sseFrame({ id: ++id, event: "data", data: JSON.stringify(envelope) }),
        onError: (error) => {
          const problem = toProblem(withDeclaredStatus(error, spec), requestId, deps.log);
          return sseFrame({ event: "error", data: JSON.stringify(problem) });
        },
        end: sseFrame({ event: "end", data: "{}" }),
        stop: () => stopped.abort(),
        heartbeatMs: HEARTBEAT_MS,
        closing: deps.closing,
        onOpen: deps.onStream,
      }, requestId);
    },
  });
}

/**
 * Access and input are checked at the first step of a stream. Where that fails at once the error is thrown, so that the response
 * still gets its status; a first value that takes its time is left to the stream.
 */
async function withFirstErrors(
  items: AsyncIterator<ResponseEnvelope>,
  spec: OperationSpec,
): Promise<AsyncIterator<ResponseEnvelope>> {
  const first = items.next();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, FIRST_STEP_MS));
  try {
    await Promise.race([first, grace]);
  } catch (error) {
    throw withDeclaredStatus(error, spec);
  } finally {
    clearTimeout(timer);
  }
  // The stream awaits it when the client reads; till then a rejection must not count as unhandled.
  first.catch(() => {});
  let given = false;
  return {
    next: () => given ? items.next() : (given = true, first),
    return: (value) => items.return?.(value) ?? Promise.resolve({ done: true, value }),
  };
}

const FIRST_STEP_MS = 20;

function requireOperation(operations: OperationsPort, caller: Caller, id: string): OperationSpec {
  const spec = operations.spec(caller, id);
  if (spec !== undefined) return spec;
  throw new CallError("OPERATION_NOT_FOUND", `Cannot find operation "${id}"`, { operationId: id });
}

function wrongKind(id: string, path: string, kind: string): HttpError {
  const message = `Operation "${id}" is ${kind}: wanted a request to /api/operations/${path}`;
  return new HttpError("VALIDATION_ERROR", message, { details: { operationId: id } });
}

function parseInput(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    const errors = [{ path: "?input", message: "is not JSON" }];
    throw new CallError("VALIDATION_ERROR", `Query parameter "input" is not JSON`, { errors });
  }
}

/** An error that the operation declares may say what it is in HTTP. */
function withDeclaredStatus(error: unknown, spec: OperationSpec): unknown {
  if (!(error instanceof CallError)) return error;
  const status = spec.errorSchemas?.find(({ code }) => code === error.code)?.httpStatus;
  if (status === undefined || status < 400 || status > 599) return error;
  return new HttpError(error.code, error.message, { details: error.details, status, cause: error });
}

function mentions(spec: OperationSpec, q: string): boolean {
  const wanted = q.toLowerCase();
  return [operationId(spec), spec.title ?? "", spec.description, ...(spec.tags ?? [])]
    .some((text) => text.toLowerCase().includes(wanted));
}

/** Without `_meta`, which may hold an adapter's internals. */
function viewOf(spec: OperationSpec): object {
  const { _meta, ...rest } = spec;
  return { id: operationId(spec), ...rest };
}
