import type { Client } from "@modelcontextprotocol/sdk/client";
import type { IOperationDefinition } from "../operation_context.ts";
import type { OperationRegistry } from "../registry.ts";
import { closeMCPClient, createMCPClient, type MCPClientWrapper } from "./mcp_client.ts";
import type { MCPClientConfig } from "./mcp_client_config.ts";

/** Several MCP servers together, by name. */
export class MCPClientLoader {
  readonly #wrappers = new Map<string, MCPClientWrapper>();
  readonly #version: string | undefined;

  /** @param version as of {@linkcode createMCPClient} */
  constructor(version?: string) {
    this.#version = version;
  }

  /**
   * Connects to servers, all at once. A name that is loaded again is closed first.
   *
   * @throws {AggregateError} when some cannot be reached; the others are loaded
   */
  async load(servers: Readonly<Record<string, MCPClientConfig>>): Promise<void> {
    const names = Object.keys(servers);
    const results = await Promise.allSettled(Object.entries(servers).map(([name, config]) => this.#load(name, config)));
    const failed = results.flatMap((result, at) => result.status === "rejected" ? [[names[at], result.reason]] : []);
    if (failed.length === 0) return;
    const quoted = failed.map(([name]) => `"${name}"`).join(", ");
    throw new AggregateError(failed.map(([, reason]) => reason), `Cannot load MCP servers ${quoted}`);
  }

  registerAll(registry: OperationRegistry): void {
    registry.registerAll(this.getAllOperations());
  }

  getClient(name: string): Client | undefined {
    return this.#wrappers.get(name)?.client;
  }

  /** In order of connecting. */
  getAllWrappers(): MCPClientWrapper[] {
    return [...this.#wrappers.values()];
  }

  getAllOperations(): IOperationDefinition[] {
    return this.getAllWrappers().flatMap(({ operations }) => operations);
  }

  /** @throws {AggregateError} when some cannot be closed; the others are */
  async closeAll(): Promise<void> {
    const wrappers = this.getAllWrappers();
    this.#wrappers.clear();
    const results = await Promise.allSettled(wrappers.map(closeMCPClient));
    const reasons = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
    if (reasons.length > 0) throw new AggregateError(reasons, "Cannot close all MCP servers");
  }

  async #load(name: string, config: MCPClientConfig): Promise<void> {
    const before = this.#wrappers.get(name);
    this.#wrappers.delete(name);
    if (before !== undefined) await closeMCPClient(before);
    this.#wrappers.set(name, await createMCPClient(name, config, this.#version));
  }
}
