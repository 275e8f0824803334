import { ConfigError } from "../config/mod.ts";
import { CliError, ExitCode } from "./cli_error.ts";

/**
 * The file itself, behind links, once it is known to be this user's: one that is written anew becomes the writer's, and a hub
 * of another user could no longer read it.
 *
 * @throws {CliError}
 */
export async function ownFile(path: string): Promise<string> {
  const real = await Deno.realPath(path);
  const { uid } = await Deno.stat(real);
  if (uid === null || Deno.uid() === null || uid === Deno.uid()) return real;
  throw new CliError(`"${path}" is another user's`, { hint: "Run as the user that the hub runs as" });
}

/** Tells a problem of the settings as other commands do. @throws {CliError} */
export async function settingsOr<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CliError(error.message, { exitCode: ExitCode.FAILED, hint: "See `hub config show`", cause: error });
  }
}
