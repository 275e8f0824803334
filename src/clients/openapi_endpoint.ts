import { CallError, type IOperationDefinition, type OperationContext, type ResponseEnvelope } from "@alkdev/operations";
import { FromOpenAPI } from "@alkdev/operations/from-openapi";
import { backoffMs } from "./backoff.ts";
import { isChosen } from "./choose_operations.ts";
import type { OpenApiConfig } from "./client_config.ts";
import { isConnectionFailure, isUnsent } from "./connection_failure.ts";
import type { Endpoint, EndpointHost, EndpointState } from "./endpoint.ts";
import { byOfferedName, offeredSpec } from "./offered_spec.ts";
import { baseUrlOf, MAX_DOCUMENT_BYTES, parseDocument } from "./openapi_document.ts";
import { type RequestSecrets, requestSecrets } from "./request_headers.ts";
import { unavailable } from "./unavailable.ts";

/** A stream may be silent between its events. */
const STREAM_IDLE_MS = 600_000;
const FETCH_MS = 30_000;

/**
 * A service with an OpenAPI document. `up` means that there is a document: nothing is connected. Without one it is fetched
 * again until there is.
 */
export class OpenApiEndpoint implements Endpoint {
  readonly #config: OpenApiConfig;
  readonly #host: EndpointHost;
  #operations: ReadonlyMap<string, IOperationDefinition> = new Map();
  #content: string | null;
  #opened: Promise<RequestSecrets> | null = null;
  #cancelTimer: (() => void) | null = null;
  #failures = 0;
  #isClosed = false;
  #state: EndpointState = { status: "connecting", error: null, retryAt: null };

  /** @param content the document as it was last known; null: it has not been fetched yet */
  constructor(config: OpenApiConfig, host: EndpointHost, content: string | null) {
    this.#config = config;
    this.#host = host;
    this.#content = content;
  }

  get state(): EndpointState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (this.#content === null) return await this.#fetchOrLater();
    try {
      this.#read(this.#content);
      this.#state = { status: "up", error: null, retryAt: null };
    } catch (error) {
      this.#failed(error);
    }
    this.#refreshLater();
  }

  async call(name: string, input: unknown, context: OperationContext): Promise<ResponseEnvelope> {
    try {
      // What streams goes the other way.
      return await (this.#find(name).handler(input, context) as Promise<ResponseEnvelope>);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async *stream(name: string, input: unknown, context: OperationContext): AsyncGenerator<ResponseEnvelope, void> {
    try {
      // Its type is subscription: the dispatcher has looked.
      yield* this.#find(name).handler(input, context) as AsyncGenerator<ResponseEnvelope, void>;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async refresh(): Promise<void> {
    if (this.#config.specUrl === null) return;
    const content = await this.#fetch(this.#config.specUrl);
    this.#read(content);
    this.#failures = 0;
    this.#state = { status: "up", error: null, retryAt: null };
    this.#refreshLater();
  }

  reread(content: string): void {
    if (content === this.#content) return;
    try {
      this.#read(content);
      this.#state = { status: "up", error: null, retryAt: null };
    } catch (error) {
      this.#failed(error);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    return Promise.resolve();
  }

  #find(name: string): IOperationDefinition {
    const found = this.#operations.get(name);
    if (found !== undefined) return found;
    const { error, retryAt, status } = this.#state;
    if (status !== "up") {
      const waitMs = retryAt === null ? null : retryAt - this.#host.clock.now();
      throw unavailable(this.#host.name, "down", error?.message ?? "its document is not there yet", waitMs);
    }
    const id = `${this.#host.name}.${name}`;
    throw new CallError("OPERATION_NOT_FOUND", `Operation "${id}" is not offered any more`, { operationId: id });
  }

  /** @throws {CallError} when the document cannot be used; what was there stays then */
  #read(content: string): void {
    const { name: client, egress, onOffer, log } = this.#host;
    const { specUrl, timeoutMs = 60_000 } = this.#config;
    const document = parseDocument(content);
    const all = FromOpenAPI(document, {
      namespace: client,
      baseUrl: this.#config.baseUrl ?? baseUrlOf(document, specUrl),
      timeout: timeoutMs,
      fetch: this.#sending(egress.bound({ timeoutMs, idleMs: Math.max(timeoutMs, STREAM_IDLE_MS) })),
      warn: (message) => log.info("Client {client}: {message}", { client, message: message.slice(0, 500) }),
    });
    const operations = byOfferedName(client, all.filter(({ name }) => isChosen(name, this.#config)));
    const specs = Array.from(operations, ([name, spec]) => offeredSpec(spec, { name, client, settings: this.#config }));
    const isNew = content !== this.#content;
    this.#operations = operations;
    this.#content = content;
    onOffer(specs, isNew ? content : null);
  }

  /** Adds what the service knows us by: last, so that no caller can change it. */
  #sending(send: typeof fetch): typeof fetch {
    return async (input, init) => {
      const { headers, query } = await (this.#opened ??= this.#open());
      const bare = new Request(input, init);
      const url = new URL(bare.url);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const request = new Request(url, bare);
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      const response = await send(request);
      // A session of the service is between it and us.
      response.headers.delete("set-cookie");
      return response;
    };
  }

  #open(): Promise<RequestSecrets> {
    const opened = this.#host.secrets().then((secrets) => requestSecrets(this.#config, secrets));
    opened.catch(() => this.#opened = null);
    return opened;
  }

  async #fetch(specUrl: string): Promise<string> {
    const secrets = await this.#host.secrets();
    const url = `${specUrl}${secrets.has("spec.query") ? `?${secrets.get("spec.query")}` : ""}`;
    // Credentials are the service's: the document gets them where it is on the service's own host.
    const isOwn = this.#config.baseUrl === undefined ||
      new URL(this.#config.baseUrl).origin === new URL(specUrl).origin;
    const { headers, query } = isOwn ? requestSecrets(this.#config, secrets) : { headers: {}, query: {} };
    const full = new URL(url);
    for (const [name, value] of Object.entries(query)) full.searchParams.set(name, value);
    const policy = { maxBytes: MAX_DOCUMENT_BYTES, totalMs: FETCH_MS };
    const response = await this.#host.egress.fetch(new Request(full, { headers }), policy);
    const text = await response.text();
    if (response.ok) return text.replaceAll("\0", "\ufffd");
    throw new CallError("EXECUTION_ERROR", `The OpenAPI document "${specUrl}" cannot be had: ${response.status}`);
  }

  async #fetchOrLater(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const { clock, random, log, name, mask } = this.#host;
    const message = mask(error instanceof Error ? error.message : String(error));
    log.warn("Client {client} has no new document: {error}", { client: name, error: message });
    this.#failures++;
    const code = error instanceof CallError ? error.code : "UNKNOWN_ERROR";
    const retryAt = this.#config.specUrl === null ? null : clock.now() + backoffMs(this.#failures, random);
    // With the document that is there it goes on.
    this.#state = { status: this.#operations.size > 0 ? "up" : "down", error: { code, message }, retryAt };
    if (retryAt === null) return;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.at(retryAt, () => void this.#fetchOrLater());
  }

  #refreshLater(): void {
    const { refreshSeconds, specUrl } = this.#config;
    if (refreshSeconds === undefined || specUrl === null || this.#isClosed) return;
    const { clock } = this.#host;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.at(clock.now() + refreshSeconds * 1000, () => void this.#fetchOrLater());
  }

  /** A connection that fails is no error of the operation. */
  #explain(error: unknown): unknown {
    if (!isConnectionFailure(error)) return error;
    return unavailable(this.#host.name, isUnsent(error) ? "down" : "lost", "its server does not answer");
  }
}
