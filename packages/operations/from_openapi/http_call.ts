import { CallError } from "../call_error.ts";
import { httpEnvelope } from "../envelope.ts";
import { isObject } from "../json_schema_keywords.ts";
import type { OperationContext, OperationHandler, SubscriptionHandler } from "../operation_context.ts";
import { startTimer } from "../timer.ts";
import { encodeBody } from "./encode_body.ts";
import { encodeHeaders, encodePath, encodeQuery, type Parameter, type Values } from "./encode_parameters.ts";
import { authHeaders, type OpenAPIConfig } from "./openapi_config.ts";
import { readData, responseError, responseMeta } from "./read_response.ts";
import { eventData } from "./server_sent_events.ts";

/** How one operation is called over HTTP. */
export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Of the request's body; undefined when it has none. */
  readonly bodyType: string | undefined;
  /** What is asked for. */
  readonly accept: string;
}

/** A handler that makes the call and answers an http envelope. */
export function httpHandler(call: HttpCall, config: OpenAPIConfig): OperationHandler {
  return async (input, context) => {
    const request = await send(call, config, input, context);
    try {
      const data = await readData(request.response, request.what);
      return httpEnvelope(data, responseMeta(request.response));
    } catch (error) {
      throw request.explain(error);
    } finally {
      request.end();
    }
  };
}

/** A handler that makes the call and gives each server-sent event in an http envelope; data that is JSON is parsed. */
export function httpSubscription(call: HttpCall, config: OpenAPIConfig): SubscriptionHandler {
  return async function* (input, context) {
    const request = await send(call, config, input, context);
    try {
      request.stopClock();
      const meta = responseMeta(request.response);
      if (request.response.body === null) return;
      for await (const text of eventData(request.response.body)) yield httpEnvelope(parse(text), meta);
    } catch (error) {
      throw request.explain(error);
    } finally {
      request.end();
    }
  };
}

interface Sent {
  readonly response: Response;
  /** The call, for messages. */
  readonly what: string;
  stopClock(): void;
  /** What to throw instead of what reading the answer threw. */
  explain(error: unknown): CallError;
  end(): void;
}

async function send(call: HttpCall, config: OpenAPIConfig, input: unknown, context: OperationContext): Promise<Sent> {
  const request = toRequest(call, config, isObject(input) ? input : {});
  const what = `${call.method} ${call.path}`;
  const controller = new AbortController();
  const { signal } = context;
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  let late = false;
  const stopClock = config.timeout === undefined ? () => {} : startTimer(config.timeout, () => {
    late = true;
    controller.abort();
  });
  const end = () => {
    stopClock();
    signal?.removeEventListener("abort", abort);
  };
  const explain = (error: unknown): CallError => {
    if (error instanceof CallError) return error;
    if (late) {
      return new CallError("TIMEOUT", `${what} took more than ${config.timeout} ms`, { timeout: config.timeout });
    }
    if (signal?.aborted) return new CallError("ABORTED", `${what} was aborted`);
    const reason = error instanceof Error ? error.message : String(error);
    return new CallError("EXECUTION_ERROR", `${what} failed: ${reason}`, undefined, { cause: error });
  };
  try {
    const response = await (config.fetch ?? fetch)(request.url, { ...request.init, signal: controller.signal });
    if (!response.ok) throw await responseError(response, what);
    return { response, what, stopClock, explain, end };
  } catch (error) {
    end();
    throw explain(error);
  }
}

function toRequest(call: HttpCall, config: OpenAPIConfig, input: Values): { url: string; init: RequestInit } {
  const path = encodePath(call.path, call.parameters, input);
  const query = encodeQuery(call.parameters, input);
  const encoded = call.bodyType === undefined || input["body"] === undefined
    ? undefined
    : encodeBody(call.bodyType, input["body"]);
  // In this order: what the operator has set cannot be changed by who calls.
  const layers = [
    { accept: call.accept, ...(encoded?.contentType !== undefined && { "content-type": encoded.contentType }) },
    encodeHeaders(call.parameters, input),
    config.headers ?? {},
    authHeaders(config.auth),
  ];
  const headers = new Headers();
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) setHeader(headers, name, value);
  const url = `${config.baseUrl.replace(/\/+$/, "")}${path}${query === "" ? "" : `?${query}`}`;
  return { url, init: { method: call.method, headers, ...(encoded !== undefined && { body: encoded.body }) } };
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch (error) {
    // The value is not quoted: it may be a key.
    throw new CallError("VALIDATION_ERROR", `Header "${name}" has a value that a header cannot hold`, undefined, {
      cause: error,
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
