import { CallError, type ErrorDefinition, type OperationContext } from "@alkdev/operations";
import { type TOptional, type TString, Type } from "@alkdev/typebox";
import type { AllowedPaths } from "./allowed_paths.ts";
import { runCommand } from "./run_command.ts";

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

export const Repository: TOptional<TString> = Type.Optional(
  Type.String({ maxLength: 4096, description: "Directory of the repository; default: the first root" }),
);
/** Not an option: git takes whatever begins with a dash for one. */
export const Revision: TString = Type.String({ maxLength: 200, pattern: "^[^-]" });
export const GIT_ERRORS: readonly ErrorDefinition[] = [
  { code: "PATH_NOT_ALLOWED", description: "The path is outside the allowed roots", schema: {}, httpStatus: 403 },
  { code: "GIT_FAILED", description: "git has refused; the message is its own", schema: {} },
];

/** Settings of a repository can name programs to run: those are switched off, and what is above the root is not searched. */
export async function git(
  paths: AllowedPaths,
  path: string | undefined,
  args: readonly string[],
  { signal }: OperationContext,
): Promise<string> {
  const { path: cwd, root } = await paths.existing(path ?? paths.roots[0] ?? ".");
  const off = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "commit.gpgSign=false"];
  // A bare repository among the files could have been written by anybody who writes files.
  const safe = [...off, "safe.bareRepository=explicit"].flatMap((setting) => ["-c", setting]);
  const result = await runCommand({
    command: "git",
    args: [...safe, ...args],
    cwd,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    signal,
    env: { GIT_CEILING_DIRECTORIES: parentOf(root), GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0" },
  });
  if (result.exitCode === 0) return result.stdout;
  throw new CallError(
    "GIT_FAILED",
    result.stderr.trim() || result.stdout.trim() || `git ended with ${result.exitCode}`,
    {
      exitCode: result.exitCode,
    },
  );
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
