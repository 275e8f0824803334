import { CallError } from "@alkdev/operations";
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface CommandParams {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Of stdout and stderr each; what comes after is read and dropped. */
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  /** -1: ended by a signal of somebody else. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/**
 * Runs a program, without a shell, as the leader of its own process group. The whole group is killed when time is up or the
 * call is aborted, and when the program ends and leaves somebody behind.
 *
 * @throws {CallError} `TIMEOUT`, `ABORTED`, `COMMAND_FAILED` when it cannot be started
 */
export function runCommand(params: CommandParams): Promise<CommandResult> {
  const { command, args, cwd, timeoutMs, maxOutputBytes, signal } = params;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CallError("ABORTED", `Command "${command}" was aborted`));
    const child = spawn(command, [...args], {
      cwd,
      env: { ...baseEnvironment(), ...params.env },
      detached: true,
      shell: false,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let ended: CallError | null = null;
    const kill = (error: CallError | null): void => {
      ended ??= error;
      killGroup(child.pid);
    };
    const onAbort = (): void => kill(new CallError("ABORTED", `Command "${command}" was aborted`));
    const timer = setTimeout(
      () => kill(new CallError("TIMEOUT", `Command "${command}" did not end within ${timeoutMs} ms`, { timeoutMs })),
      timeoutMs,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    const stdout = collect(child.stdout, maxOutputBytes);
    const stderr = collect(child.stderr, maxOutputBytes);
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    child.on("error", (cause) => {
      finish();
      reject(new CallError("COMMAND_FAILED", `Command "${command}" could not be started`, undefined, { cause }));
    });
    // Somebody left behind holds the pipes open: "close" would wait for them.
    child.on("exit", () => kill(null));
    child.on("close", (code) => {
      finish();
      if (ended !== null) return reject(ended);
      const truncated = stdout.truncated || stderr.truncated;
      resolve({ exitCode: code ?? -1, stdout: stdout.text(), stderr: stderr.text(), truncated });
    });
  });
}

/** What programs need to be found and to speak plainly. Nothing else of this process's environment: it may hold secrets. */
function baseEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ"];
  const found = kept.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    // A negative id is the group's.
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

interface Collected {
  readonly truncated: boolean;
  text(): string;
}

function collect(stream: Readable, maxBytes: number): Collected {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let truncated = false;
  stream.on("data", (chunk: Uint8Array) => {
    const room = maxBytes - length;
    if (chunk.byteLength > room) truncated = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    chunks.push(kept);
    length += kept.byteLength;
  });
  return {
    get truncated() {
      return truncated;
    },
    text() {
      const decoder = new TextDecoder();
      return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") +
        (truncated ? "" : decoder.decode());
    },
  };
}
