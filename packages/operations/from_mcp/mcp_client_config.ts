/** A server that is started as a process, and spoken to over its standard streams. */
export interface MCPStdioConfig {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the few variables that a server gets of ours (`PATH`, `HOME` and the like). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where what it says on standard error goes. Default: `inherit`, to ours. */
  readonly stderr?: "inherit" | "ignore";
  /** Ms that a call may take where its caller sets no deadline; progress starts it anew. Default: 60,000. */
  readonly timeout?: number;
}

/** A server that is spoken to over streamable HTTP. The HTTP+SSE transport of before March 2025 is not supported. */
export interface MCPHttpConfig {
  readonly url: string | URL;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** As of {@linkcode MCPStdioConfig}. */
  readonly timeout?: number;
}

/** How a server is reached. */
export type MCPClientConfig = MCPStdioConfig | MCPHttpConfig;

/** What is heard of a connection after it was made. */
export interface MCPClientHooks {
  /** The connection is over, whoever ended it. Calls under way have been rejected. */
  onClose?(): void;
  /** The server says that its tools are others now: see `refresh` of the wrapper. */
  onToolsChanged?(): void;
}
