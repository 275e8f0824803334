/** Tools of MCP servers as operations. Needs `@modelcontextprotocol/sdk`. @module */
export { closeMCPClient, createMCPClient } from "./mcp_client.ts";
export type { MCPClientWrapper } from "./mcp_client.ts";
export type { MCPClientConfig, MCPClientHooks, MCPHttpConfig, MCPStdioConfig } from "./mcp_client_config.ts";
export { MCPClientLoader } from "./mcp_client_loader.ts";
