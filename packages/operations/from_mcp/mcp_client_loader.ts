import type { Client } from "@modelcontextprotocol/sdk/client";
import type { IOperationDefinition } from "../operation_context.ts";
import { operationId } from "../operation_spec.ts";
import type { OperationRegistry } from "../registry.ts";
import { closeMCPClient, createMCPClient, type MCPClientWrapper } from "./mcp_client.ts";
import type { MCPClientConfig } from "./mcp_client_config.ts";

/**
 * Several MCP servers together, by name.
 *
 * @example
 * ```ts ignore
 * import { OperationRegistry } from "@alkdev/operations";
 * import { MCPClientLoader } from "@alkdev/operations/from-mcp";
 *
 * const registry = new OperationRegistry();
 * const loader = new MCPClientLoader("1.0.0", (name) => void loader.refresh(name, registry));
 * await loader.load({ fs: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"] } });
 * loader.registerAll(registry);
 * await registry.execute("fs.list_directory", { path: "/tmp" });
 * await loader.closeAll();
 * ```
 */
export class MCPClientLoader {
  readonly #wrappers = new Map<string, MCPClientWrapper>();
  readonly #version: string | undefined;
  readonly #onToolsChanged: ((name: string) => void) | undefined;

  /**
   * @param version as of {@linkcode createMCPClient}
   * @param onToolsChanged told of a server that says that its tools are others now: see {@linkcode MCPClientLoader.refresh}
   */
  constructor(version?: string, onToolsChanged?: (name: string) => void) {
    this.#version = version;
    this.#onToolsChanged = onToolsChanged;
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

  /**
   * Asks a loaded server for its tools again. A registry that is given gets what there is now, and loses what there is no more.
   *
   * @returns the ids of operations that came and went
   * @throws {CallError} `EXECUTION_ERROR` or `TIMEOUT`; what is known stays as it is
   * @throws {Error} for a name that is not loaded
   */
  async refresh(
    name: string,
    registry?: OperationRegistry,
  ): Promise<{ readonly added: readonly string[]; readonly removed: readonly string[] }> {
    const wrapper = this.#wrappers.get(name);
    if (wrapper === undefined) throw new Error(`Cannot refresh MCP server "${name}" as it is not loaded`);
    const operations = await wrapper.refresh();
    const [before, after] = [wrapper.operations, operations].map((list) => new Set(list.map(operationId)));
    // It may have been closed, or loaded anew, meanwhile: then the newer list stands.
    if (this.#wrappers.get(name) !== wrapper) return { added: [], removed: [] };
    this.#wrappers.set(name, { ...wrapper, operations });
    const added = [...after ?? []].filter((id) => before?.has(id) !== true);
    const removed = [...before ?? []].filter((id) => after?.has(id) !== true);
    for (const id of removed) registry?.unregister(id);
    registry?.registerAll(operations);
    return { added, removed };
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
    const onToolsChanged = () => this.#onToolsChanged?.(name);
    this.#wrappers.set(name, await createMCPClient(name, config, this.#version, { onToolsChanged }));
  }
}
