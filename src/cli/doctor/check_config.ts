import { ConfigError, denoFiles, loadConfig } from "../../config/mod.ts";
import type { Finding, Subject } from "./finding.ts";

/** The settings: every problem, every warning. */
export async function checkConfig({ env }: Subject): Promise<readonly Finding[]> {
  try {
    const { configPath, warnings } = await loadConfig({ env, files: denoFiles });
    const message = configPath === null ? "defaults and environment: there is no config file" : configPath;
    return [
      { what: "config", state: "ok", message },
      ...warnings.map((warning): Finding => ({ what: "config", state: "warn", message: warning })),
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ message, field }) => ({
      what: "config",
      state: "fail",
      message,
      mend: `Mend "${field}"`,
    }));
  }
}
