/** A PostgreSQL cluster of a test's own, to be crashed at will. */
import { freePort } from "./free_port.ts";

export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  start(): Promise<void>;
  /** As a crash: no shutdown checkpoint, connections are cut. */
  crash(): Promise<void>;
  /** All its processes stand still, new connections included, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** Null: PostgreSQL's programs are not on this machine. */
export async function startPostgres(): Promise<TestPostgres | null> {
  const bin = await programs();
  if (bin === null) return null;
  const dir = await Deno.makeTempDir({ prefix: "hub-postgres-" });
  const port = freePort();
  // PostgreSQL refuses to run as root.
  const asPostgres = Deno.uid() === 0 ? ["runuser", "-u", "postgres", "--"] : [];
  const run = async (...args: string[]): Promise<void> => {
    const [command, ...rest] = [...asPostgres, ...args];
    const child = new Deno.Command(command!, { args: rest, stdin: "null", stdout: "null", stderr: "piped", cwd: dir });
    const { success, stderr } = await child.output();
    if (!success) throw new Error(`${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  };
  if (Deno.uid() === 0) await new Deno.Command("chown", { args: ["postgres", dir] }).output();
  const data = `${dir}/data`;
  await run(`${bin}/initdb`, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C");
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${dir} -c max_connections=200`;
  const start = () => run(`${bin}/pg_ctl`, "-D", data, "-l", `${dir}/log`, "-w", "-t", "60", "-o", settings, "start");
  const crash = () => run(`${bin}/pg_ctl`, "-D", data, "-m", "immediate", "stop");
  let frozen: readonly number[] = [];
  const thaw = (): Promise<void> => {
    for (const pid of frozen) Deno.kill(pid, "SIGCONT");
    frozen = [];
    return Promise.resolve();
  };
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start,
    crash,
    async freeze() {
      const postmaster = Number((await Deno.readTextFile(`${data}/postmaster.pid`)).split("\n")[0]);
      // The one that makes new ones first.
      Deno.kill(postmaster, "SIGSTOP");
      frozen = [postmaster, ...await childrenOf(postmaster)];
      for (const pid of frozen) Deno.kill(pid, "SIGSTOP");
    },
    thaw,
    async [Symbol.asyncDispose]() {
      await thaw();
      await crash().catch(() => {});
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    },
  };
}

async function childrenOf(parent: number): Promise<readonly number[]> {
  const text = await Deno.readTextFile(`/proc/${parent}/task/${parent}/children`);
  return text.trim().split(" ").filter((pid) => pid !== "").map(Number);
}

async function programs(): Promise<string | null> {
  const root = "/usr/lib/postgresql";
  const versions: number[] = [];
  try {
    for await (const { name } of Deno.readDir(root)) versions.push(Number(name));
  } catch {
    return null;
  }
  const newest = versions.filter(Number.isFinite).sort((a, b) => b - a)[0];
  return newest === undefined ? null : `${root}/${newest}/bin`;
}
