import {
  type JSONRPCRequest,
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
