import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { HttpPool, requestBytes } from "./http_client.ts";

/** A hub in a process of its own, and connections to it. */
export interface BenchHub {
  readonly hub: HubProcess;
  readonly pid: number;
  /** Registers a workflow given as an element tree. */
  register(name: string, template: unknown): Promise<void>;
  /** Gives a function that runs the workflow over HTTP to its end. */
  runner(name: string, input?: unknown): () => Promise<RunAnswer>;
  /** Gives a function that starts the workflow and does not wait for its end. */
  starter(name: string, input?: unknown): () => Promise<RunAnswer>;
  /** A GET that must succeed; gives the body's text. */
  get(path: string): Promise<string>;
  close(): Promise<void>;
}

export interface RunAnswer {
  readonly id: string;
  readonly status: string;
}

export async function openBenchHub(
  options: { readonly databaseUrl: string | null; readonly dataDir?: string },
): Promise<BenchHub> {
  const hub = await startHubProcess({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir, keep: true }),
    env: options.databaseUrl === null ? {} : { HUB_DATABASE_URL: options.databaseUrl },
  });
  const pool = new HttpPool(hub.url);
  const { pid } = JSON.parse(await Deno.readTextFile(`${hub.dataDir}/hub.json`)) as { readonly pid: number };
  const post = (name: string, input: unknown, headers: Readonly<Record<string, string>>, wanted: number) => {
    const { url, key } = hub;
    const path = `/api/workflows/${name}/runs`;
    const bytes = requestBytes({ url, key, method: "POST", path, headers, body: { input } });
    return async (): Promise<RunAnswer> => {
      const { status, body } = await pool.send(bytes);
      if (status !== wanted) throw new Error(`The hub answered ${status}, wanted ${wanted}: ${body.slice(0, 500)}`);
      const answer = JSON.parse(body) as RunAnswer;
      if (wanted === 200 && answer.status !== "completed") throw new Error(`Run ended ${body.slice(0, 500)}`);
      return answer;
    };
  };
  return {
    hub,
    pid,
    async register(name, template) {
      const { status, body } = await hub.api("PUT", `/api/workflows/${name}`, { body: { template } });
      if (status !== 200) throw new Error(`Cannot register workflow "${name}": ${JSON.stringify(body).slice(0, 500)}`);
    },
    runner: (name, input = {}) => post(name, input, { prefer: "wait=60" }, 200),
    starter: (name, input = {}) => post(name, input, {}, 202),
    async get(path) {
      const { status, body } = await pool.send(requestBytes({ url: hub.url, key: hub.key, method: "GET", path }));
      if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body.slice(0, 500)}`);
      return body;
    },
    async close() {
      pool.close();
      await hub.kill("SIGTERM");
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** `steps` operations one after the other, as an element tree. */
export function chainTemplate(operationId: string, steps: number, input: (index: number) => unknown): unknown {
  return {
    type: "sequential",
    props: {},
    children: Array.from({ length: steps }, (_, i) => ({
      type: "operation",
      props: { name: operationId, key: `s${i}`, input: input(i) },
      children: [],
    })),
  };
}

/** Input of a `core.echo` that reads the one before. */
export function echoInput(index: number): unknown {
  return { value: index === 0 ? 0 : { $ref: `nodes.s${index - 1}.value` } };
}
