import {
  type JSONRPCRequest,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
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
        throw invalidParams(method, error) ?? error;
      }
    };
  }
}

/**
 * What is wrong with a request's params, where that is what the SDK means: it throws a plain `Error` for them, with the issues as
 * JSON for a message, and would answer that as an error of ours. The first ten are told.
 */
function invalidParams(method: string, error: unknown): ProtocolError | null {
  const issues = error instanceof Error && error.constructor === Error ? readIssues(error.message) : null;
  if (issues === null) return null;
  const told = issues.slice(0, 10).map(({ path = [], message }) => `${path.join(".")}: ${message}`);
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid ${method} request: ${told.join("; ")}`);
}

interface Issue {
  readonly path?: readonly unknown[];
  readonly message: string;
}

function readIssues(message: string): readonly Issue[] | null {
  if (!message.startsWith("[")) return null;
  try {
    const issues: unknown = JSON.parse(message);
    return Array.isArray(issues) ? issues as Issue[] : null; // of the SDK's own making
  } catch {
    return null;
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
