import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
import { runCommand } from "./run_command.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 3_600_000;
const DEFAULT_OUTPUT_BYTES = 256 * 1024;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** `bash.run`: one of the allowed commands, with its arguments as they are; no shell reads them. */
export function bashOperations(paths: AllowedPaths, commands: readonly string[]): readonly SpokeOperation[] {
  const allowed = new Set(commands);
  return [defineOperation({
    namespace: "bash",
    name: "run",
    type: "mutation",
    description: `Runs one of the allowed commands: ${commands.length === 0 ? "none" : commands.join(", ")}.`,
    errorSchemas: [
      {
        code: "COMMAND_NOT_ALLOWED",
        description: "The command is not allowed on this spoke",
        schema: {},
        httpStatus: 403,
      },
      {
        code: "PATH_NOT_ALLOWED",
        description: "The working directory is outside the roots",
        schema: {},
        httpStatus: 403,
      },
      { code: "COMMAND_FAILED", description: "The command could not be started", schema: {} },
    ],
    inputSchema: Type.Object({
      command: Type.String({ minLength: 1, maxLength: 500 }),
      args: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
      cwd: Type.Optional(Type.String({ maxLength: 4096 })),
      timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_TIMEOUT_MS })),
      maxOutputBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_OUTPUT_BYTES })),
    }),
    outputSchema: Type.Object({
      exitCode: Type.Integer(),
      stdout: Type.String(),
      stderr: Type.String(),
      truncated: Type.Boolean(),
    }),
    handler: async (input, { signal }) => {
      const { command, args = [], cwd = "." } = input;
      if (!allowed.has(command)) {
        throw new CallError(
          "COMMAND_NOT_ALLOWED",
          `Command "${command}" is not allowed: wanted one of ${[...allowed].join(", ")}`,
          {
            command,
          },
        );
      }
      const { path } = await paths.existing(cwd);
      const { timeoutMs = DEFAULT_TIMEOUT_MS, maxOutputBytes = DEFAULT_OUTPUT_BYTES } = input;
      return await runCommand({ command, args, cwd: path, timeoutMs, maxOutputBytes, signal });
    },
  })];
}
