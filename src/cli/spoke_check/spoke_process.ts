/** A spoke that was started for the check, by a command line. */
export class SpokeProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** Resolves when it has ended: with its code, or the signal that ended it. */
  readonly ended: Promise<string>;

  /** @param command read by `sh`; its words go to one program, which takes the shell's place and so gets its signals */
  constructor(command: string, env: Readonly<Record<string, string>>, onLine: (line: string) => void) {
    this.#child = new Deno.Command("sh", {
      args: ["-c", `exec ${command}`],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reading = [this.#child.stdout, this.#child.stderr].map((stream) => readLines(stream, onLine));
    this.ended = this.#child.status.then(async ({ code, signal }) => {
      await Promise.all(reading);
      return signal === null ? `exit code ${code}` : signal;
    });
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
