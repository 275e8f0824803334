import type { Cli } from "./cli.ts";
import { ANSI, PLAIN } from "./format/style.ts";

/** Columns of what is not a terminal: wide enough for any id, narrow enough to read. */
const PLAIN_WIDTH = 160;
const DEFAULT_WIDTH = 80;

/** The world of this process. The first SIGINT or SIGTERM aborts the signal; a second SIGINT ends the process at once. */
export function processCli(words: readonly string[]): Cli {
  const stdoutIsTerminal = Deno.stdout.isTerminal();
  const terminal = Deno.stderr.isTerminal();
  const colour = words.includes("--no-color") ? false : words.includes("--color") ||
    (stdoutIsTerminal && (Deno.env.get("NO_COLOR") ?? "") === "" && Deno.env.get("TERM") !== "dumb");
  return {
    out: (line) => write(Deno.stdout, `${line}\n`),
    err: (line) => write(Deno.stderr, `${line}\n`),
    raw: (text) => write(Deno.stderr, text),
    style: colour ? ANSI : PLAIN,
    terminal,
    width: stdoutIsTerminal || terminal ? columns() : PLAIN_WIDTH,
    env: (name) => Deno.env.get(name),
    environment: () => Deno.env.toObject(),
    now: () => Date.now(),
    fetch: globalThis.fetch,
    signal: stopSignal(),
  };
}

function columns(): number {
  try {
    const { columns } = Deno.consoleSize();
    // A terminal that nobody has given a size says 0.
    return columns > 0 ? columns : DEFAULT_WIDTH;
  } catch {
    return DEFAULT_WIDTH;
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (code: number) => () => {
    if (controller.signal.aborted) Deno.exit(code);
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", stop(130));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop(143));
  return controller.signal;
}

/** Writes whole; a reader that has gone, as `head` does, ends the process quietly. */
function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}
