import { CallError, type IOperationDefinition, type OperationContext, type ResponseEnvelope } from "@alkdev/operations";
import {
  closeMCPClient,
  createMCPClient,
  type MCPClientConfig,
  type MCPClientWrapper,
} from "@alkdev/operations/from-mcp";
import { type AllowedCommand, commandProblem } from "./allowed_commands.ts";
import { backoffMs } from "./backoff.ts";
import type { McpHttpConfig, McpStdioConfig } from "./client_config.ts";
import type { Endpoint, EndpointHost, EndpointState } from "./endpoint.ts";
import { mcpFetch } from "./mcp_fetch.ts";
import { byOfferedName, offeredSpec, writeSpecs } from "./offered_spec.ts";
import { requestSecrets } from "./request_headers.ts";
import { unavailable } from "./unavailable.ts";

/** A connection that ends sooner was none: the next one waits. */
const STABLE_MS = 5_000;

interface Connection {
  readonly wrapper: MCPClientWrapper;
  readonly since: number;
  tools: ReadonlyMap<string, IOperationDefinition>;
}

/**
 * The connection to an MCP server, made anew when it ends. Calls wait for a connection that is being made, and are refused while
 * the next try is waited for. A call that its connection takes along is `UNAVAILABLE` with reason `lost`, but is made again
 * where its tool says that this does no harm, and where it cannot have reached the server.
 */
export class McpEndpoint implements Endpoint {
  readonly #config: McpHttpConfig | McpStdioConfig;
  readonly #host: EndpointHost;
  readonly #commands: readonly AllowedCommand[];
  #connection: Connection | null = null;
  #connecting: Promise<void> | null = null;
  #cancelRetry: (() => void) | null = null;
  #failures = 0;
  #isClosed = false;
  #state: EndpointState = { status: "connecting", error: null, retryAt: null };

  constructor(
    config: McpHttpConfig | McpStdioConfig,
    host: EndpointHost,
    commands: readonly AllowedCommand[],
  ) {
    this.#config = config;
    this.#host = host;
    this.#commands = commands;
  }

  get state(): EndpointState {
    return this.#state;
  }

  start(): Promise<void> {
    return this.#connect();
  }

  async call(name: string, input: unknown, context: OperationContext): Promise<ResponseEnvelope> {
    const { connection, tool } = await this.#toolOf(name, context);
    const first = await this.#attempt(tool, input, context, connection);
    if ("answer" in first) return first.answer;
    if (first.loss === "lost" && !isHarmless(tool)) throw this.#lost();
    try {
      const again = await this.#toolOf(name, context);
      const second = await this.#attempt(again.tool, input, context, again.connection);
      if ("answer" in second) return second.answer;
      throw second.loss === "lost" ? this.#lost() : second.error;
    } catch (error) {
      // What was sent once is not unsent.
      throw first.loss === "lost" && error instanceof CallError && error.code === "UNAVAILABLE" ? this.#lost() : error;
    }
  }

  async #toolOf(name: string, context: OperationContext) {
    const connection = await this.#ready(context);
    const tool = connection.tools.get(name);
    if (tool !== undefined) return { connection, tool };
    const id = `${this.#host.name}.${name}`;
    throw new CallError("OPERATION_NOT_FOUND", `Operation "${id}" is not offered any more`, { operationId: id });
  }

  /** @throws what is not the connection's fault */
  async #attempt(
    tool: IOperationDefinition,
    input: unknown,
    context: OperationContext,
    connection: Connection,
  ): Promise<{ readonly answer: ResponseEnvelope } | { readonly loss: "lost" | "down"; readonly error: unknown }> {
    try {
      // A tool's handler is no generator.
      return { answer: await (tool.handler(input, context) as Promise<ResponseEnvelope>) };
    } catch (error) {
      const loss = this.#lossOf(error, connection, context);
      if (loss === null) throw error;
      return { loss, error };
    }
  }

  #lost(): CallError {
    return unavailable(this.#host.name, "lost", "its server went away during the call", 500);
  }

  // deno-lint-ignore require-yield
  async *stream(name: string): AsyncGenerator<ResponseEnvelope, void, undefined> {
    throw new CallError("VALIDATION_ERROR", `Cannot subscribe to "${this.#host.name}.${name}": tools do not stream`);
  }

  async refresh(): Promise<void> {
    if (this.#connection === null) {
      this.#failures = 0;
      await this.#connect();
    } else await this.#list(this.#connection);
    const { status, error } = this.#state;
    if (status === "up") return;
    throw new CallError(error?.code ?? "UNAVAILABLE", error?.message ?? `Client "${this.#host.name}" is not connected`);
  }

  /** This hub has a connection of its own. */
  reread(): void {}

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) await closeMCPClient(connection.wrapper).catch(() => {});
    await this.#connecting;
  }

  async #ready({ signal }: OperationContext): Promise<Connection> {
    if (this.#connection === null && this.#connecting !== null) await orAborted(this.#connecting, signal);
    if (this.#connection !== null) return this.#connection;
    const { retryAt, error } = this.#state;
    const waitMs = retryAt === null ? null : retryAt - this.#host.clock.now();
    throw unavailable(this.#host.name, "down", error?.message ?? "it is not connected", waitMs);
  }

  #connect(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    return this.#connecting ??= this.#tryOnce().finally(() => this.#connecting = null);
  }

  async #tryOnce(): Promise<void> {
    const { name, clock, log } = this.#host;
    this.#state = { status: "connecting", error: this.#state.error, retryAt: null };
    let current: Connection | null = null;
    let hasChanged = false;
    try {
      const config = await this.#transport(() => current !== null && this.#broken(current));
      const wrapper = await createMCPClient(name, config, "1.0.0", {
        onClose: () => current !== null && this.#ended(current),
        onToolsChanged: () => {
          if (current === null) hasChanged = true;
          else void this.#list(current).catch(() => {});
        },
      });
      if (this.#isClosed) return await closeMCPClient(wrapper);
      current = { wrapper, since: clock.now(), tools: new Map() };
      this.#offer(current, wrapper.operations);
      this.#connection = current;
      this.#state = { status: "up", error: null, retryAt: null };
      if (hasChanged) void this.#list(current).catch(() => {});
      log.info("Client {client} is connected and has {tools} tools", { client: name, tools: current.tools.size });
    } catch (error) {
      this.#failed(toCallError(error));
    }
  }

  async #transport(onBroken: () => void): Promise<MCPClientConfig> {
    const { name, egress } = this.#host;
    const secrets = await this.#host.secrets();
    const config = this.#config;
    const timeout = { timeout: config.timeoutMs ?? 60_000 };
    if ("url" in config) {
      const { headers, query } = requestSecrets(config, secrets);
      const given = Object.fromEntries(new URLSearchParams(secrets.get("url.query") ?? ""));
      const fetch = mcpFetch({ client: name, egress, query: { ...given, ...query }, onBroken });
      return { url: config.url, headers, fetch, ...timeout };
    }
    const { command, args = [], env = [] } = config;
    const problem = commandProblem({ command, args, env }, this.#commands);
    if (problem !== null) throw new CallError("COMMAND_DENIED", `Field "${problem.field}" ${problem.message}`);
    return {
      command,
      args,
      env: Object.fromEntries(env.map((name) => [name, secrets.get(`env:${name}`) ?? ""])),
      stderr: "ignore",
      ...timeout,
    };
  }

  async #list(connection: Connection): Promise<void> {
    this.#offer(connection, await connection.wrapper.refresh());
  }

  #offer(connection: Connection, operations: readonly IOperationDefinition[]): void {
    const { name: client, onOffer } = this.#host;
    connection.tools = byOfferedName(client, operations);
    const specs = Array.from(
      connection.tools,
      ([name, spec]) => offeredSpec(spec, { name, client, settings: this.#config }),
    );
    onOffer(specs, writeSpecs(specs));
  }

  /** `lost`: it may have been carried out; `down`: it was not; null: the connection is not to blame. */
  #lossOf(error: unknown, connection: Connection, { signal }: OperationContext): "lost" | "down" | null {
    if (signal?.aborted || this.#isClosed) return null;
    const details = error instanceof CallError ? error.details : null;
    if (error instanceof CallError && error.code === "UNAVAILABLE" && typeof details === "object" && details !== null) {
      return "reason" in details && details.reason === "down" ? "down" : "lost";
    }
    return this.#connection === connection ? null : "lost";
  }

  /** Nothing more comes of this connection: what waits for answers is told so. */
  #broken(connection: Connection): void {
    this.#ended(connection);
    // Not the published way, which would say good-bye to a server that is not there.
    void connection.wrapper.client.close().catch(() => {});
  }

  #ended(connection: Connection): void {
    if (this.#connection !== connection || this.#isClosed) return;
    this.#connection = null;
    const { name, clock, log } = this.#host;
    log.warn("Client {client} has lost its connection", { client: name });
    if (clock.now() - connection.since < STABLE_MS && ++this.#failures > 1) {
      this.#retryLater({ code: "UNAVAILABLE", message: "its server ends each connection" });
    } else {
      if (clock.now() - connection.since >= STABLE_MS) this.#failures = 0;
      void this.#connect();
    }
  }

  #failed(error: CallError): void {
    if (this.#isClosed) return;
    this.#failures++;
    const { name, log, mask } = this.#host;
    const message = mask(error.message);
    log.warn("Client {client} cannot be connected: {error}", { client: name, error: message });
    this.#retryLater({ code: error.code, message });
  }

  #retryLater(error: { readonly code: string; readonly message: string }): void {
    const { clock, random } = this.#host;
    const retryAt = clock.now() + backoffMs(Math.max(1, this.#failures), random);
    this.#state = { status: "down", error, retryAt };
    this.#cancelRetry?.();
    this.#cancelRetry = clock.at(retryAt, () => void this.#connect());
  }
}

/** Whether a tool says that calling it twice is as good as once. */
function isHarmless({ _meta }: IOperationDefinition): boolean {
  const annotations = _meta?.["annotations"];
  if (typeof annotations !== "object" || annotations === null) return false;
  return "readOnlyHint" in annotations && annotations.readOnlyHint === true ||
    "idempotentHint" in annotations && annotations.idempotentHint === true;
}

function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  return new CallError("UNAVAILABLE", error instanceof Error ? error.message : String(error));
}

/** Resolves with the work; rejects as soon as the signal aborts. */
async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
