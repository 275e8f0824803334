import {
  decrypt,
  DecryptError,
  encrypt,
  generateEncryptionKey,
  generateKeyRing,
  isEncryptedData,
  type KeyRing,
  parseKeyRing,
} from "../crypto/mod.ts";
import { ConfigError } from "./config_error.ts";
import type { ConfigFiles } from "./config_files.ts";
import type { HubConfig } from "./hub_config.ts";

/** What a hub cannot start without. */
export interface HubSecrets {
  readonly masterKey: string;
  readonly keyRing: KeyRing;
  /** Paths that were written now. */
  readonly created: readonly string[];
}

/**
 * Makes what is missing: the data directory (0700), `master.key` (0600) and `keyring.json` (0600, sealed with the master
 * key). Idempotent, and safe when several processes start on one directory. Writes only inside the data directory: a master
 * key that is configured to be elsewhere must be there.
 *
 * @throws {ConfigError}
 */
export async function selfSetup(config: HubConfig, files: ConfigFiles): Promise<HubSecrets> {
  const created: string[] = [];
  await files.makeDir(config.dataDir);
  const masterKey = await setUpMasterKey(config, files, created);
  const keyRing = config.encryptionKeys === null
    ? await setUpKeyRing(config, files, masterKey, created)
    : readRing(config.encryptionKeys, "encryptionKeys");
  return { masterKey, keyRing, created };
}

/**
 * Puts a fresh key in front of the data directory's key ring: new secrets are sealed with it, old ones still open. Running hubs
 * take it up when they start again.
 *
 * @throws {ConfigError} when the ring is not the data directory's own
 */
export async function rotateKeyRing(config: HubConfig, files: ConfigFiles): Promise<KeyRing> {
  if (config.encryptionKeys !== null) {
    const message = "Key ring comes from the configuration and is not rotated here: wanted a new first entry there";
    throw new ConfigError([{ field: "encryptionKeys", message }]);
  }
  const { masterKey, keyRing } = await selfSetup(config, files);
  const rotated = keyRing.rotated();
  await files.replaceSecret(keyRingPath(config), `${await sealRing(rotated, masterKey)}\n`);
  return rotated;
}

function keyRingPath({ dataDir }: HubConfig): string {
  return `${dataDir}/keyring.json`;
}

async function sealRing(ring: KeyRing, masterKey: string): Promise<string> {
  return JSON.stringify({ _encrypted: await encrypt(ring.serialize(), masterKey) }, null, 2);
}

async function setUpMasterKey(config: HubConfig, files: ConfigFiles, created: string[]): Promise<string> {
  const path = config.masterKeyPath;
  const own = path === `${config.dataDir}/master.key`;
  const key = await readOrCreate(files, path, own ? () => Promise.resolve(generateEncryptionKey()) : null, created);
  if (key !== "") return key;
  throw new ConfigError([{
    field: "HUB_MASTER_KEY_FILE",
    message: `Master key file "${path}" is empty or not there: wanted 32 random bytes in base64`,
  }]);
}

async function setUpKeyRing(
  config: HubConfig,
  files: ConfigFiles,
  masterKey: string,
  created: string[],
): Promise<KeyRing> {
  const path = keyRingPath(config);
  const text = await readOrCreate(files, path, () => sealRing(generateKeyRing(), masterKey), created);
  return readRing(await openRing(text, masterKey, path), path);
}

/** The trimmed text of a file, made first where it is not there. Empty: it is not there and cannot be made. */
async function readOrCreate(
  files: ConfigFiles,
  path: string,
  make: (() => Promise<string>) | null,
  created: string[],
): Promise<string> {
  const found = await files.readText(path);
  if (found !== null || make === null) return found?.trim() ?? "";
  const text = await make();
  if (await files.createSecret(path, `${text}\n`)) {
    created.push(path);
    return text;
  }
  // Another process was first: its file counts.
  return (await files.readText(path))?.trim() ?? "";
}

async function openRing(text: string, masterKey: string, path: string): Promise<string> {
  try {
    const wrapped: unknown = JSON.parse(text);
    if (
      typeof wrapped === "object" && wrapped !== null && "_encrypted" in wrapped && isEncryptedData(wrapped._encrypted)
    ) {
      return await decrypt(wrapped._encrypted, masterKey);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof DecryptError)) throw error;
  }
  const message = `Key ring file "${path}" cannot be opened: wanted a ring sealed with this hub's master key`;
  throw new ConfigError([{ field: path, message }]);
}

function readRing(text: string, field: string): KeyRing {
  try {
    return parseKeyRing(text);
  } catch (error) {
    throw new ConfigError([{
      field,
      message: `${error instanceof Error ? error.message : "Key ring is wrong"} (in ${field})`,
    }]);
  }
}
