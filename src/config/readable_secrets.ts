import type { HubConfig } from "./hub_config.ts";

/** A secret's file that others than its owner can read or write. */
export interface ReadableSecret {
  readonly path: string;
  /** Its permissions, as `chmod` takes them: `644`. */
  readonly mode: string;
}

/** Files of a hub's secrets that others can get at. Those that are not there, and Windows, have none. */
export async function readableSecrets(
  { dataDir, masterKeyPath }: Pick<HubConfig, "dataDir" | "masterKeyPath">,
): Promise<readonly ReadableSecret[]> {
  if (Deno.build.os === "windows") return [];
  const found: ReadableSecret[] = [];
  for (const path of new Set([masterKeyPath, `${dataDir}/admin.key`, `${dataDir}/keyring.json`])) {
    const mode = (await Deno.stat(path).catch(() => null))?.mode ?? null;
    if (mode !== null && (mode & 0o077) !== 0) found.push({ path, mode: (mode & 0o777).toString(8).padStart(3, "0") });
  }
  return found;
}
