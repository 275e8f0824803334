/** Exit codes of every command. */
export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2 } as const;
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** Ends a command: `message` says what is wrong, `hint` what to do next. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | null;

  constructor(
    message: string,
    options: { readonly exitCode?: ExitCode; readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? ExitCode.FAILED;
    this.hint = options.hint ?? null;
  }
}

/** A command line that cannot be understood: exit code 2. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, { exitCode: ExitCode.USAGE, ...(hint !== undefined && { hint }) });
}
