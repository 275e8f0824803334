import { fileURLToPath } from "node:url";
import type { Cli } from "./cli.ts";
import { CliError } from "./cli_error.ts";
import type { SpokeBody } from "./commands/spokes.ts";
import type { HubClient } from "./hub_client.ts";
import type { PageBody } from "./run_views.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const CONNECT_MS = 30_000;
const STOP_MS = 5_000;

/** What the demo's spoke is told. */
export interface DemoSpokeOptions {
  readonly url: string;
  readonly keyFile: string;
  readonly roots: readonly string[];
  /** Paths that are not absolute are taken from here. */
  readonly cwd: string;
}

/** The reference spoke as a process of its own. */
export interface DemoSpoke {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the hub lists it. @throws CliError when it does not come */
  connected(hub: HubClient, cli: Cli): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the spoke. It ends by itself when this process does, however that ends: its stdin closes then. */
export function startDemoSpoke({ url, keyFile, roots, cwd }: DemoSpokeOptions): DemoSpoke {
  const name = "demo";
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--allow-all",
        "--no-prompt",
        MAIN,
        "spoke",
        "dev",
        "--name",
        name,
        "--url",
        url,
        "--until-stdin-closes",
      ],
      ...roots.flatMap((root) => ["--root", root]),
      ...["--command", "git"],
    ],
    cwd,
    // The key is handed over in a file: what stands on a command line can be seen by every user of the machine.
    env: { HUB_KEY_FILE: keyFile, HUB_KEY: "", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = tail(child.stderr);
  let ended: Deno.CommandStatus | null = null;
  const status = child.status.then((it) => ended = it);

  return {
    name,
    pid: child.pid,
    async connected(hub, cli) {
      for (const until = cli.now() + CONNECT_MS; cli.now() < until && ended === null && !cli.signal.aborted;) {
        const { items } = await hub.get<PageBody<SpokeBody>>("/api/spokes");
        if (items.some((it) => it.name === name && it.status === "connected")) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new CliError(`The spoke did not connect to ${url}`, { hint: `It said: ${said().trim() || "nothing"}` });
    },
    async stop() {
      await child.stdin.close().catch(() => {});
      const timer = setTimeout(() => ended === null && child.kill("SIGKILL"), STOP_MS);
      await status;
      clearTimeout(timer);
    },
  };
}

/** Reads a stream to its end, and gives the last of what it said. */
function tail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): () => string {
  let text = "";
  const read = async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) text = (text + chunk).slice(-2_000);
  };
  read().catch(() => {});
  return () => text;
}
