import { CallError } from "@alkdev/operations";
import { type ChildProcess, spawn } from "node:child_process";
import { killTree, newProcessMark } from "./process_tree.ts";

export interface CommandParams {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Of stdout and stderr each; what comes after is read and dropped. */
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Told of the output as it comes, up to the limit. */
  readonly onOutput?: (stream: OutputStream, text: string) => void;
}

export type OutputStream = "stdout" | "stderr";

export interface CommandResult {
  /** -1: ended by a signal of somebody else. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/** How long the output of a program that has ended may be held open by somebody who could not be killed. */
const PIPES_MS = 2_000;

/**
 * Runs a program, without a shell, as the leader of its own process group. All that came of it is killed when time is up or the
 * call is aborted, and when the program ends and leaves somebody behind.
 *
 * @throws {CallError} `TIMEOUT`, `ABORTED`, `COMMAND_FAILED` when it cannot be started
 */
export function runCommand(params: CommandParams): Promise<CommandResult> {
  const { command, args, cwd, timeoutMs, signal } = params;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CallError("ABORTED", `Command "${command}" was aborted`));
    const mark = newProcessMark();
    const child = spawn(command, [...args], {
      cwd,
      env: { ...baseEnvironment(), ...params.env, ...mark.env },
      detached: true,
      shell: false,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let ended: CallError | null = null;
    const kill = (error: CallError | null): void => {
      ended ??= error;
      if (child.pid === undefined) return;
      killTree(child.pid, mark).then(() => closePipes(child, PIPES_MS));
    };
    const onAbort = (): void => kill(new CallError("ABORTED", `Command "${command}" was aborted`));
    const timer = setTimeout(
      () => kill(new CallError("TIMEOUT", `Command "${command}" did not end within ${timeoutMs} ms`, { timeoutMs })),
      timeoutMs,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    const stdout = collect(child, "stdout", params);
    const stderr = collect(child, "stderr", params);
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
      resolve({ exitCode: code ?? -1, stdout: stdout.text, stderr: stderr.text, truncated });
    });
  });
}

/** What programs need to be found and to speak plainly. Nothing else of this process's environment: it may hold secrets. */
function baseEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ"];
  const found = kept.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

function closePipes({ stdout, stderr }: ChildProcess, afterMs: number): void {
  const open = [stdout, stderr].filter((pipe) => pipe !== null && !pipe.closed);
  if (open.length === 0) return;
  const timer = setTimeout(() => open.forEach((pipe) => pipe?.destroy()), afterMs);
  Promise.all(open.map((pipe) => new Promise((resolve) => pipe?.once("close", resolve)))).then(() =>
    clearTimeout(timer)
  );
}

interface Collected {
  text: string;
  truncated: boolean;
}

function collect(child: ChildProcess, stream: OutputStream, { maxOutputBytes, onOutput }: CommandParams): Collected {
  const collected: Collected = { text: "", truncated: false };
  const decoder = new TextDecoder();
  let room = maxOutputBytes;
  const add = (text: string): void => {
    if (text === "") return;
    if (onOutput === undefined) collected.text += text;
    else onOutput(stream, text);
  };
  child[stream]?.on("data", (chunk: Uint8Array) => {
    if (chunk.byteLength > room) collected.truncated = true;
    if (room > 0) add(decoder.decode(chunk.subarray(0, room), { stream: true }));
    room = Math.max(0, room - chunk.byteLength);
  });
  // A character cut in two by the limit is left out.
  child[stream]?.on("end", () => collected.truncated || add(decoder.decode()));
  return collected;
}
