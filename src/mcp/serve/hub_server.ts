import {
  type JSONRPCRequest,
  McpServer,
  type Result,
  Server,
  type ServerContext,
  type ServerOptions,
} from "@modelcontextprotocol/server";

type Handler = (request: JSONRPCRequest, context: ServerContext) => Promise<Result>;

/** An answer that says its call is a task, thrown by a handler past the checks that are made of results. */
export class TaskAnswer {
  readonly result: Result;

  constructor(result: Result) {
    this.result = result;
  }
}

/** The SDK's server, which also lets a {@linkcode TaskAnswer} pass; the SDK knows only results of tools. */
export class HubServer extends Server {
  constructor(version: string, options: ServerOptions) {
    super({ name: "alkdev-hub", title: "@alkdev/hub", version }, options);
  }

  protected override _wrapHandler(method: string, handler: Handler): Handler {
    const wrapped = super._wrapHandler(method, handler);
    return async (request, context) => {
      try {
        return await wrapped(request, context);
      } catch (error) {
        if (error instanceof TaskAnswer) return error.result;
        throw error;
      }
    };
  }
}

/**
 * What a request of 2026-07-28 is served by. The SDK holds the headers of a call against the schema of its tool only for an
 * `McpServer`, and asks that for the schema.
 */
export class RequestServer extends McpServer {
  readonly #tool: { readonly name: string; readonly inputSchema: Record<string, unknown> } | null;

  /** @param tool the one that is called; null: none is */
  constructor(
    server: HubServer,
    tool: { readonly name: string; readonly inputSchema: Record<string, unknown> } | null,
  ) {
    super({ name: "alkdev-hub", version: "" });
    // The one it made for itself has no handlers.
    Object.defineProperty(this, "server", { value: server });
    this.#tool = tool;
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#tool?.name === name ? this.#tool.inputSchema : undefined;
  }
}
