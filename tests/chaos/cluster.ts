/** Three hubs and three spokes in processes of their own, on a PostgreSQL and a Redis of their own. */
import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { startPostgres, type TestPostgres } from "../support/postgres_server.ts";
import { freePort } from "../support/free_port.ts";
import { startRedis, type TestRedis } from "../support/redis_server.ts";
import { CutProxy } from "./proxy.ts";

const SPOKE = new URL("./spoke_process.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const RESTART_MS = 400;

/** One hub that is started again whenever it ends. */
export class Hub {
  readonly port: number = freePort();
  readonly url: string = `http://127.0.0.1:${this.port}`;
  readonly dataDir: string;
  /** Ends that nobody asked for, by the last line of the log. */
  readonly unexpected: string[] = [];
  process: HubProcess | null = null;
  starts = 0;
  isSuspended = false;
  #isWanted = true;
  #isExpected = false;
  readonly #env: Readonly<Record<string, string>>;
  #running: Promise<void> = Promise.resolve();

  constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.#env = { ...env, HUB_PORT: String(this.port) };
  }

  async start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    this.#running = this.#supervise(started.resolve);
    await started.promise;
  }

  /** Sends a signal that ends it. */
  kill(signal: Deno.Signal): void {
    this.#isExpected = true;
    this.#signal(signal);
  }

  suspend(): void {
    this.isSuspended = true;
    this.#isExpected = true; // it may find itself fenced afterwards, and end
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.isSuspended = false;
    this.#signal("SIGCONT");
  }

  /** Resolves when it serves. */
  async ready(): Promise<void> {
    while (this.process === null) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async close(): Promise<void> {
    this.#isWanted = false;
    this.kill("SIGKILL");
    await this.#running;
  }

  async #supervise(started: () => void): Promise<void> {
    while (this.#isWanted) {
      try {
        const hub = await startHubProcess({ dataDir: this.dataDir, env: this.#env, keep: true });
        this.process = hub;
        this.starts++;
        if (!this.#isWanted) this.kill("SIGKILL");
        this.#isExpected = false;
        started();
        const code = await hub.ended;
        this.process = null;
        if (!this.#isExpected) this.unexpected.push(`exit ${code}: ${hub.stderr().trim().split("\n").at(-1)}`);
      } catch {
        // The database is away: it is tried again.
      }
      if (this.#isWanted) await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    }
  }

  #signal(signal: Deno.Signal): void {
    try {
      if (this.process !== null) Deno.kill(this.process.pid, signal);
    } catch {
      // It has just ended.
    }
  }
}

/** One spoke that is started again whenever it ends; its way to its hub can be cut. */
export class Spoke {
  readonly proxy: CutProxy;
  readonly trace: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: Deno.ChildProcess | null = null;
  #isWanted = true;
  #running: Promise<void> = Promise.resolve();

  constructor(hub: Hub, options: { readonly name: string; readonly key: string; readonly trace: string }) {
    this.proxy = new CutProxy(() => hub.port);
    this.trace = options.trace;
    this.#env = {
      HUB_URL: `http://127.0.0.1:${this.proxy.port}`,
      HUB_KEY: options.key,
      SPOKE_NAME: options.name,
      TRACE: options.trace,
    };
    this.#running = this.#supervise();
  }

  kill(): void {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has just ended.
    }
  }

  async close(): Promise<void> {
    this.#isWanted = false;
    this.kill();
    await this.#running;
    await this.proxy[Symbol.asyncDispose]();
  }

  async #supervise(): Promise<void> {
    while (this.#isWanted) {
      this.#child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", CONFIG, SPOKE],
        env: this.#env,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await this.#child.status;
      if (this.#isWanted) await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    }
  }
}

export interface Cluster extends AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly redis: TestRedis;
  /** The hubs' way to Redis. */
  readonly redisProxy: CutProxy;
  readonly hubs: readonly Hub[];
  readonly spokes: readonly Spoke[];
  readonly key: string;
}

export async function startCluster(size: { readonly hubs: number; readonly spokes: number }): Promise<Cluster | null> {
  const postgres = await startPostgres();
  const redis = await startRedis();
  if (postgres === null || redis === null) return null;
  const dir = await Deno.makeTempDir({ prefix: "hub-chaos-" });
  const redisProxy = new CutProxy(() => redis.port);
  const env = {
    HUB_DATABASE_URL: postgres.url,
    HUB_REDIS_URL: `redis://127.0.0.1:${redisProxy.port}`,
    HUB_LOG: Deno.env.get("CHAOS_LOG") ?? "error",
  };
  const hubs: Hub[] = [];
  let key = "";
  for (let i = 0; i < size.hubs; i++) {
    const dataDir = `${dir}/hub${i}`;
    await Deno.mkdir(dataDir);
    // Only the first hub of a database makes a key.
    if (i > 0) await Deno.writeTextFile(`${dataDir}/admin.key`, key);
    const hub = new Hub(dataDir, env);
    hubs.push(hub);
    await hub.start();
    if (i === 0) key = hub.process?.key ?? "";
  }
  const spokes = Array.from(
    { length: size.spokes },
    (_, i) => new Spoke(hubs[i % hubs.length]!, { name: `spoke${i}`, key, trace: `${dir}/trace${i}` }),
  );
  return {
    postgres,
    redis,
    redisProxy,
    hubs,
    spokes,
    key,
    async [Symbol.asyncDispose]() {
      await Promise.all(spokes.map((spoke) => spoke.close()));
      await Promise.all(hubs.map((hub) => hub.close()));
      await redisProxy[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await postgres[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    },
  };
}
