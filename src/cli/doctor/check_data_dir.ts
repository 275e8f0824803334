import { resolve } from "node:path";
import { readableSecrets } from "../../config/mod.ts";
import type { Finding, Subject } from "./finding.ts";

/** The data directory: that it can be written, and that nobody else can read its secrets. */
export async function checkDataDir({ env }: Subject): Promise<readonly Finding[]> {
  const dataDir = resolve(env["HUB_DATA_DIR"] || ".hub");
  const info = await Deno.stat(dataDir).catch(() => null);
  if (info === null) {
    return [{ what: "data dir", state: "info", message: `${dataDir} is not there yet: the first start makes it` }];
  }
  if (!info.isDirectory) {
    return [{
      what: "data dir",
      state: "fail",
      message: `${dataDir} is not a directory`,
      mend: "Set HUB_DATA_DIR to another place",
    }];
  }
  return [
    await writable(dataDir),
    ...await openSecrets(dataDir, resolve(env["HUB_MASTER_KEY_FILE"] || `${dataDir}/master.key`)),
  ];
}

async function writable(dataDir: string): Promise<Finding> {
  try {
    const probe = await Deno.makeTempFile({ dir: dataDir, prefix: ".doctor-" });
    await Deno.remove(probe);
    return { what: "data dir", state: "ok", message: dataDir };
  } catch {
    return {
      what: "data dir",
      state: "fail",
      message: `${dataDir} cannot be written`,
      mend: `Give it to the user that the hub runs as, or set HUB_DATA_DIR to another place`,
    };
  }
}

async function openSecrets(dataDir: string, masterKeyPath: string): Promise<readonly Finding[]> {
  return (await readableSecrets({ dataDir, masterKeyPath })).map(({ path, mode }) => ({
    what: "data dir",
    state: "fail",
    message: `${path} can be read by others: its mode is ${mode}`,
    mend: `Run \`chmod 600 ${path}\`, and rotate what it holds`,
  }));
}
