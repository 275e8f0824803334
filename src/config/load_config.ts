import { ConfigError } from "./config_error.ts";
import type { ConfigFiles } from "./config_files.ts";
import type { ConfigFile } from "./config_schema.ts";
import { type Environment, readEnvironment, unknownVariables } from "./environment.ts";
import { DEFAULT_LIMITS, type HubConfig } from "./hub_config.ts";
import { parseConfigFile } from "./parse_config_file.ts";

/** Where the container platform's secret is looked for when nothing names a master key. */
const MOUNTED_MASTER_KEY = "/run/secrets/hub_master_key";

/** What {@linkcode loadConfig} reads from. */
export interface ConfigSources {
  readonly env: Environment;
  readonly files: ConfigFiles;
}

/**
 * Resolves and checks every setting. Writes nothing and opens no connection.
 *
 * @throws {ConfigError} with every problem of the source that has one
 */
export async function loadConfig({ env, files }: ConfigSources): Promise<HubConfig> {
  const dataDir = nonEmpty(env.HUB_DATA_DIR) ?? ".hub";
  const fromEnv = await readEnvironment(env, files);
  const masterKeyPath = await findMasterKey(env, files, dataDir);
  const { file, path } = await readFile(env, files, dataDir, masterKeyPath);
  return {
    dataDir,
    configPath: path,
    host: fromEnv.host ?? file.host ?? "127.0.0.1",
    port: fromEnv.port ?? file.port ?? 8787,
    databaseUrl: fromEnv.databaseUrl ?? file.databaseUrl ?? null,
    redisUrl: fromEnv.redisUrl ?? file.redisUrl ?? null,
    encryptionKeys: fromEnv.encryptionKeys ?? file.encryptionKeys ?? null,
    masterKeyPath,
    log: { level: fromEnv.logLevel ?? file.log?.level ?? "info", format: file.log?.format ?? "auto" },
    workflows: [...(file.workflows ?? []), ...(fromEnv.workflows ?? [])],
    httpHosts: file.httpHosts ?? [],
    egress: { allowHosts: file.egress?.allowHosts ?? null, allowPrivate: file.egress?.allowPrivate ?? [] },
    clients: { commands: file.clients?.commands ?? [] },
    oauth: file.oauth ?? null,
    trustedProxies: file.trustedProxies ?? [],
    limits: { ...DEFAULT_LIMITS, ...file.limits },
    http: file.http ?? {},
    retention: (file.retention ?? []).map(({ olderThan, ...rest }) => ({
      ...rest,
      olderThanMs: durationMs(olderThan),
    })),
    warnings: unknownVariables(env),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ms of `1d12h`; the schema has checked its form. */
function durationMs(text: string): number {
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-z]+)/g)) ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return ms;
}

async function findMasterKey(env: Environment, files: ConfigFiles, dataDir: string): Promise<string> {
  const named = nonEmpty(env.HUB_MASTER_KEY_FILE);
  if (named !== undefined) return named;
  return await files.readText(MOUNTED_MASTER_KEY) === null ? `${dataDir}/master.key` : MOUNTED_MASTER_KEY;
}

async function readFile(
  env: Environment,
  files: ConfigFiles,
  dataDir: string,
  masterKeyPath: string,
): Promise<{ readonly file: ConfigFile; readonly path: string | null }> {
  const named = nonEmpty(env.HUB_CONFIG);
  const path = named ?? `${dataDir}/config.jsonc`;
  const text = await files.readText(path).catch((error: unknown) => {
    throw unreadable(named === undefined ? "HUB_DATA_DIR" : "HUB_CONFIG", path, error);
  });
  if (text !== null) {
    return { file: await parseConfigFile(text, path, () => readMasterKey(files, masterKeyPath)), path };
  }
  if (named === undefined) return { file: {}, path: null };
  throw new ConfigError([{
    field: "HUB_CONFIG",
    message: `HUB_CONFIG is "${path}", which is not there: wanted a config file`,
  }]);
}

/** Such as a directory, a file that is no directory on the way to it, or one of somebody else's. */
function unreadable(field: string, path: string, error: unknown): ConfigError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConfigError([{ field, message: `Config file "${path}" cannot be read, see ${field}: ${reason}` }]);
}

async function readMasterKey(files: ConfigFiles, path: string): Promise<string> {
  const key = (await files.readText(path))?.trim();
  if (key !== undefined && key !== "") return key;
  const message = `Master key file "${path}" is ${
    key === "" ? "empty" : "not there"
  }: wanted the key that sealed the config file`;
  throw new ConfigError([{ field: "HUB_MASTER_KEY_FILE", message }]);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
