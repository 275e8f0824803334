/** Other people's services: MCP servers and OpenAPI services as operations, and providers of language models. @module */
export {
  type ClientCatalog,
  type ClientHead,
  type ClientRecord,
  type ClientSecret,
  StoredSecretSchema,
} from "./client.ts";
export {
  type ClientAuth,
  type ClientConfig,
  ClientInputSchema,
  type ClientType,
  type LlmProviderConfig,
  type McpHttpConfig,
  type McpStdioConfig,
  type OpenApiConfig,
  type ProviderModel,
  StoredConfigSchema,
} from "./client_config.ts";
export type { ClientStore } from "./client_store.ts";
export { createMemoryClientStore } from "./memory_client_store.ts";
export type { ClientsLog, Provider, ProviderDirectory } from "./ports.ts";
export type { AllowedCommand } from "./allowed_commands.ts";
export { type ClientPool, type ClientPoolOptions, createClientPool } from "./client_pool.ts";
export type { ClientView } from "./client_view.ts";
export { type Clients, type ClientsOptions, type ClientTest, createClients } from "./clients.ts";
export { createProviderDirectory } from "./provider_directory.ts";
export { resealSecrets } from "./reseal_secrets.ts";
