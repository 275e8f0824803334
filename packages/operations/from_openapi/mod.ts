/** Operations of services that an OpenAPI document describes. @module */
export { FromOpenAPI } from "./from_openapi.ts";
export { FromOpenAPIFile, FromOpenAPIUrl } from "./load_openapi.ts";
export type { OpenAPIFileSystem } from "./load_openapi.ts";
export type { OpenAPIAuth, OpenAPIConfig } from "./openapi_config.ts";
export { OpenAPIServiceRegistry } from "./openapi_service_registry.ts";
