/** Settings of the hub, and what its first start sets up. @module */
export { ConfigError, type ConfigIssue } from "./config_error.ts";
export type { ConfigFiles } from "./config_files.ts";
export { type ConfigFile, ConfigFileSchema, type LogFormat, type LogLevelName } from "./config_schema.ts";
export { denoFiles } from "./deno_files.ts";
export type { Environment } from "./environment.ts";
export { DEFAULT_LIMITS, type HubConfig, type HubLimits } from "./hub_config.ts";
export { type ConfigSources, loadConfig } from "./load_config.ts";
export { type ReadableSecret, readableSecrets } from "./readable_secrets.ts";
export { type HubSecrets, rotateKeyRing, selfSetup } from "./self_setup.ts";
export { openField, openValue, sealedPaths, sealField, sealValue } from "./sealed_field.ts";
export { shownConfig } from "./shown_config.ts";
