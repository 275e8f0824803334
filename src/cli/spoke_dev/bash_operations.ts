import { type Static, Type } from "@alkdev/typebox";
import { CallError, type OperationContext } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import type { AllowedPaths } from "./allowed_paths.ts";
import { defineOperation } from "./define_operation.ts";
import { type CommandResult, type OutputStream, runCommand } from "./run_command.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 3_600_000;
const DEFAULT_OUTPUT_BYTES = 256 * 1024;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_STREAMED_BYTES = 64 * 1024 * 1024;

const ERRORS = [
  { code: "COMMAND_NOT_ALLOWED", description: "The command is not allowed on this spoke", schema: {}, httpStatus: 403 },
  { code: "PATH_NOT_ALLOWED", description: "The working directory is outside the roots", schema: {}, httpStatus: 403 },
  { code: "COMMAND_FAILED", description: "The command could not be started", schema: {} },
];

function commandInput(maxOutputBytes: number) {
  return Type.Object({
    command: Type.String({ minLength: 1, maxLength: 500 }),
    args: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
    cwd: Type.Optional(Type.String({ maxLength: 4096 })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_TIMEOUT_MS })),
    maxOutputBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: maxOutputBytes })),
  });
}

type CommandInput = Static<ReturnType<typeof commandInput>>;

/** `bash.run` and `bash.stream`: one of the allowed commands, with its arguments as they are; no shell reads them. */
export function bashOperations(paths: AllowedPaths, commands: readonly string[]): readonly SpokeOperation[] {
  const allowed = new Set(commands);
  const names = commands.length === 0 ? "none" : commands.join(", ");
  const start = async (
    input: CommandInput,
    { signal }: Pick<OperationContext, "signal">,
    onOutput?: (stream: OutputStream, text: string) => void,
  ): Promise<CommandResult> => {
    const { command, args = [], cwd = "." } = input;
    if (!allowed.has(command)) {
      const message = `Command "${command}" is not allowed: wanted one of ${[...allowed].join(", ")}`;
      throw new CallError("COMMAND_NOT_ALLOWED", message, { command });
    }
    const { path } = await paths.existing(cwd);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, maxOutputBytes = DEFAULT_OUTPUT_BYTES } = input;
    const params = { command, args, cwd: path, timeoutMs, maxOutputBytes, signal };
    return await runCommand(onOutput === undefined ? params : { ...params, onOutput });
  };
  return [
    defineOperation({
      namespace: "bash",
      name: "run",
      type: "mutation",
      description: `Runs one of the allowed commands: ${names}.`,
      errorSchemas: ERRORS,
      inputSchema: commandInput(MAX_OUTPUT_BYTES),
      outputSchema: Type.Object({
        exitCode: Type.Integer(),
        stdout: Type.String(),
        stderr: Type.String(),
        truncated: Type.Boolean(),
      }),
      handler: start,
    }),
    {
      namespace: "bash",
      name: "stream",
      type: "subscription",
      description: `Runs one of the allowed commands and gives its output as it comes, then its exit code: ${names}.`,
      errorSchemas: ERRORS,
      inputSchema: commandInput(MAX_STREAMED_BYTES),
      outputSchema: Type.Union([
        Type.Object({ stream: Type.Union([Type.Literal("stdout"), Type.Literal("stderr")]), text: Type.String() }),
        Type.Object({ exitCode: Type.Integer(), truncated: Type.Boolean() }),
      ]),
      // The SDK has validated the input against the schema.
      handler: async function* (input, context) {
        yield* streamOf((signal, onOutput) => start(input as CommandInput, { signal }, onOutput), context.signal);
      },
    },
  ];
}

type Chunk = { readonly stream: OutputStream; readonly text: string };

/** The output as it comes, then how the program ended. A reader that leaves ends the program. */
async function* streamOf(
  run: (signal: AbortSignal, onOutput: (stream: OutputStream, text: string) => void) => Promise<CommandResult>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk | Pick<CommandResult, "exitCode" | "truncated">, void, undefined> {
  const leave = new AbortController();
  const chunks: Chunk[] = [];
  let wake = (): void => {};
  let isOver = false;
  const running = run(
    signal === undefined ? leave.signal : AbortSignal.any([signal, leave.signal]),
    (stream, text) => {
      chunks.push({ stream, text });
      wake();
    },
  ).finally(() => {
    isOver = true;
    wake();
  });
  // Looked at below; whoever leaves early does not.
  running.catch(() => {});
  try {
    while (true) {
      const chunk = chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (isOver) break;
      else await new Promise<void>((resolve) => wake = resolve);
    }
    const { exitCode, truncated } = await running;
    yield { exitCode, truncated };
  } finally {
    leave.abort();
    await running.catch(() => {});
  }
}
