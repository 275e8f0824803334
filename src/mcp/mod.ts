/** The MCP edge: tools, resources, prompts and tasks over the run use cases. @module */
export { createMcp } from "./create_mcp.ts";
export type { Mcp, McpDeps, McpLimits, McpTimes, OperationsPort, PromptSource, PromptText } from "./ports.ts";
