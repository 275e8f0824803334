import type { Report } from "../report.ts";

export interface PeerLoad {
  readonly seconds: number;
  readonly durations: readonly number[];
}

/** Another engine in a Node process of its own, in a temporary folder with its packages. */
export interface Peer {
  load(request: { readonly workflow: "seq3" | "fan100"; readonly count: number; readonly atOnce: number }): Promise<
    PeerLoad
  >;
  close(): Promise<void>;
}

export interface PeerOptions {
  readonly name: string;
  /** npm packages at exact versions. */
  readonly packages: readonly string[];
  /** File beside this one. */
  readonly script: string;
  readonly env: (folder: string) => Readonly<Record<string, string>>;
}

const INSTALL_MS = 60_000;
/** Longest wait for a peer's start, or one load of it. */
const ANSWER_MS = 40_000;

/** Installs and starts a peer; null, with a note in the report, where npm, Node or the registry is not to be had. */
export async function openPeer(report: Report, options: PeerOptions): Promise<Peer | null> {
  const folder = await Deno.makeTempDir({ prefix: "hub-bench-peer-" });
  const remove = () => Deno.remove(folder, { recursive: true }).catch(() => {});
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"private":true,"type":"module"}');
    await install(folder, options.packages);
    const script = `${folder}/${options.script}`;
    await Deno.copyFile(new URL(options.script, import.meta.url), script);
    const peer = await start(folder, script, options.env(folder));
    return { ...peer, close: () => peer.close().finally(remove) };
  } catch (error) {
    await remove();
    const reason = error instanceof Error ? error.message : String(error);
    report.note(`${options.name}: not measured (${reason.trim().split("\n").at(-1)})`);
    return null;
  }
}

async function install(folder: string, packages: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", ...packages],
    cwd: folder,
    stdin: "null",
    signal: AbortSignal.timeout(INSTALL_MS),
  }).output();
  if (!success) throw new Error(`npm cannot install it: ${new TextDecoder().decode(stderr).slice(0, 500)}`);
}

async function start(folder: string, script: string, env: Readonly<Record<string, string>>): Promise<Peer> {
  const child = new Deno.Command("node", {
    args: [script],
    cwd: folder,
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const answers = (child.stdout as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
  const writer = child.stdin.getWriter();
  let buffer = "";
  async function answer<T>(): Promise<T> {
    for (;;) {
      const end = buffer.indexOf("\n");
      if (end >= 0) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 1);
        if (line.startsWith("{")) return JSON.parse(line);
        continue;
      }
      const { done, value } = await within(ANSWER_MS, answers.read());
      if (done) throw new Error("it ended by itself");
      buffer += value;
    }
  }
  try {
    await answer();
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
  signalTree(child.pid, "SIGSTOP");
  return {
    async load(request) {
      signalTree(child.pid, "SIGCONT");
      await writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
      const result = await answer<PeerLoad>();
      // While it is not its turn it must not take the others' time: peers poll, and keep servers running.
      signalTree(child.pid, "SIGSTOP");
      return result;
    },
    async close() {
      signalTree(child.pid, "SIGCONT");
      await writer.close().catch(() => {});
      await child.status;
    },
  };
}

/** Signals a process and those it started, where the system tells of them. */
function signalTree(pid: number, signal: Deno.Signal): void {
  let children = "";
  try {
    children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  } catch {
    // Not Linux, or just gone: the process itself is enough.
  }
  for (const child of children.split(" ").filter(Boolean)) signalTree(Number(child), signal);
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it did not answer within ${ms / 1000} s`)), ms);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
