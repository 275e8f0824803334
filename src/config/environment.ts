import { ConfigError, type ConfigIssue } from "./config_error.ts";
import type { ConfigFiles } from "./config_files.ts";
import type { LogLevelName } from "./config_schema.ts";
import { nearest } from "./nearest.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says; absent fields are left to the config file. */
export interface EnvironmentSettings {
  readonly host?: string;
  readonly port?: number;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly encryptionKeys?: string;
  readonly logLevel?: LogLevelName;
  readonly workflows?: readonly string[];
}

const LEVELS: readonly LogLevelName[] = ["trace", "debug", "info", "warning", "error", "fatal", "off"];

const KNOWN: ReadonlySet<string> = new Set([
  "HUB_CONFIG",
  "HUB_DATA_DIR",
  "HUB_HOST",
  "HUB_PORT",
  "HUB_LOG",
  "HUB_WORKFLOWS",
  "HUB_DATABASE_URL",
  "HUB_DATABASE_URL_FILE",
  "HUB_REDIS_URL",
  "HUB_REDIS_URL_FILE",
  "HUB_ENCRYPTION_KEYS_FILE",
  "HUB_MASTER_KEY_FILE",
]);

/** Reads and checks the `HUB_` variables. @throws {ConfigError} */
export async function readEnvironment(env: Environment, files: ConfigFiles): Promise<EnvironmentSettings> {
  const issues: ConfigIssue[] = [];
  const host = given(env.HUB_HOST);
  const port = readPort(given(env.HUB_PORT), issues);
  const logLevel = readLevel(given(env.HUB_LOG), issues);
  const workflows = given(env.HUB_WORKFLOWS)?.split(/[,:]/).map((part) => part.trim()).filter((part) => part !== "");
  const databaseUrl = await readUrl("HUB_DATABASE_URL", /^postgres(ql)?:\/\//, "postgres://", env, files, issues);
  const redisUrl = await readUrl("HUB_REDIS_URL", /^rediss?:\/\//, "redis://", env, files, issues);
  const encryptionKeys = await readSecretFile("HUB_ENCRYPTION_KEYS_FILE", env, files, issues);
  if (env.HUB_ENCRYPTION_KEYS !== undefined || env.HUB_MASTER_KEY !== undefined) {
    const field = env.HUB_MASTER_KEY !== undefined ? "HUB_MASTER_KEY" : "HUB_ENCRYPTION_KEYS";
    const why = "other processes can read an environment";
    issues.push({
      field,
      message: `${field} is refused as ${why}: wanted ${field}_FILE, the path of a file that holds it`,
    });
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(workflows === undefined ? {} : { workflows }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(encryptionKeys === undefined ? {} : { encryptionKeys }),
  };
}

/** A line for each `HUB_` variable that means nothing here. Not errors: container platforms set variables of this form. */
export function unknownVariables(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.startsWith("HUB_") && !KNOWN.has(name)).map((name) => {
    const near = nearest(name, KNOWN);
    return `Environment variable ${name} is not known${near === null ? "" : `: did you mean ${near}?`}`;
  });
}

function readPort(text: string | undefined, issues: ConfigIssue[]): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  issues.push({ field: "HUB_PORT", message: `HUB_PORT is "${text}": wanted an integer from 0 to 65535` });
  return undefined;
}

function readLevel(text: string | undefined, issues: ConfigIssue[]): LogLevelName | undefined {
  if (text === undefined) return undefined;
  const level = text === "warn" ? "warning" : LEVELS.find((name) => name === text.toLowerCase());
  if (level !== undefined) return level;
  issues.push({ field: "HUB_LOG", message: `HUB_LOG is "${text}": wanted one of ${LEVELS.join(", ")}` });
  return undefined;
}

async function readUrl(
  name: string,
  form: RegExp,
  start: string,
  env: Environment,
  files: ConfigFiles,
  issues: ConfigIssue[],
): Promise<string | undefined> {
  const direct = given(env[name]);
  const fileName = `${name}_FILE`;
  if (direct !== undefined && given(env[fileName]) !== undefined) {
    issues.push({ field: name, message: `${name} and ${fileName} are both given: wanted one of them` });
    return undefined;
  }
  const value = direct ?? await readSecretFile(fileName, env, files, issues);
  // The value is not quoted: it may hold a password.
  if (value === undefined || form.test(value)) return value;
  issues.push({ field: name, message: `${name} has a wrong form: wanted a URL that starts with ${start}` });
  return undefined;
}

/** The trimmed content of the file that a variable names. */
export async function readSecretFile(
  name: string,
  env: Environment,
  files: ConfigFiles,
  issues: ConfigIssue[],
): Promise<string | undefined> {
  const path = given(env[name]);
  if (path === undefined) return undefined;
  const text = (await files.readText(path))?.trim();
  if (text !== undefined && text !== "") return text;
  issues.push({
    field: name,
    message: `${name} is "${path}", which is ${
      text === "" ? "empty" : "not there"
    }: wanted a file that holds the secret`,
  });
  return undefined;
}

/** Empty variables count as absent: that is how shells and compose files leave one out. */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
