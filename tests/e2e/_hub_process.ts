/** A real hub in a process of its own, for tests that kill it. */
import assert from "node:assert/strict";
import { HttpContract } from "../support/http_contract.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

export interface HubProcess {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  readonly stderr: () => string;
  /** JSON over HTTP with the admin key, or another, or none (null). */
  api<T = Record<string, unknown>>(method: string, path: string, options?: RequestOptions): Promise<Answer<T>>;
  /** Sends a signal and waits for the end; gives the exit code. */
  kill(signal: Deno.Signal): Promise<number>;
  /** Kills it if need be and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string | null;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** Starts `hub serve` on a free port and waits until it is ready. The same data directory continues an earlier hub. */
export async function startHubProcess(
  options: {
    readonly dataDir?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly keep?: boolean;
    /** What Deno allows the process; default everything. */
    readonly permissions?: readonly string[];
  } = {},
): Promise<HubProcess> {
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "hub-e2e-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...(options.permissions ?? ["-A"]),
      "--no-check",
      "--config",
      `${ROOT}deno.json`,
      `${ROOT}src/cli/main.ts`,
      "serve",
    ],
    env: { HUB_DATA_DIR: dataDir, HUB_PORT: "0", HUB_LOG: "warning", NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const errors = (async () => {
    for await (const text of (child.stderr as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream())) {
      stderr += text;
    }
  })();
  const url = await listeningUrl(child.stdout, () => stderr);
  const key = (await Deno.readTextFile(`${dataDir}/admin.key`)).trim();
  let ended: number | null = null;
  const status = child.status.then((result) => ended = result.code);
  const kill = async (signal: Deno.Signal): Promise<number> => {
    if (ended === null) child.kill(signal);
    const code = await status;
    await errors;
    return code;
  };
  return {
    url,
    key,
    dataDir,
    pid: child.pid,
    ended: status,
    stderr: () => stderr,
    api: async (method, path, request) => {
      const answer = await callApi(`${url}${path}`, method, key, request);
      await assertContract(url, method, path, answer);
      // The contract has the fields; what a test expects them to be is its own claim.
      return answer as Answer<never>;
    },
    kill,
    async [Symbol.asyncDispose]() {
      await kill("SIGKILL");
      if (options.keep !== true) await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    },
  };
}

async function listeningUrl(stdout: ReadableStream<Uint8Array>, stderr: () => string): Promise<string> {
  const [lines, rest] = stdout.tee();
  void rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  const reader = (lines as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    assert.ok(!done, `The hub ended before it listened: ${stderr()}`);
    text += value;
    const found = /listening on (\S+)/.exec(text);
    if (found === null) continue;
    void reader.cancel().catch(() => {});
    return found[1]!;
  }
}

/** Contracts by document: hubs of one build share it. */
const contracts = new Map<string, Promise<HttpContract | null>>();

/** Every answer that a test gets is held against the hub's own document. */
async function assertContract(url: string, method: string, path: string, answer: Answer<unknown>): Promise<void> {
  if (answer.status === 503) return; // of a hub that starts or stops: its document cannot be asked for
  let contract = contracts.get(url);
  if (contract === undefined) {
    contract = fetch(`${url}/openapi.json`).then(async (response) =>
      response.ok ? new HttpContract(await response.json()) : null
    ).catch(() => null);
    contracts.set(url, contract);
  }
  const { status, headers, body } = answer;
  (await contract)?.check({ method, path, status, contentType: headers.get("content-type"), body });
}

async function callApi<T>(url: string, method: string, key: string, request: RequestOptions = {}): Promise<Answer<T>> {
  const used = request.key === undefined ? key : request.key;
  const sent = request.raw ?? (request.body === undefined ? null : JSON.stringify(request.body));
  const response = await fetch(url, {
    method,
    body: sent,
    headers: {
      ...(used !== null && { authorization: `Bearer ${used}` }),
      ...(sent !== null && { "content-type": "application/json" }),
      ...request.headers,
    },
  });
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson && text !== "" ? JSON.parse(text) : text) as T,
  };
}

/** The events of an SSE stream until it ends. */
export async function readSse(
  url: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly { readonly id: number; readonly event: string; readonly data: Record<string, unknown> }[]> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${key}`, accept: "text/event-stream", ...headers },
  });
  assert.equal(response.status, 200, await (response.ok ? "" : response.text()));
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const frames = (await response.text()).split("\n\n").filter((frame) => /^id:/m.test(frame));
  return frames.map((frame) => ({
    id: Number(/^id: ?(.*)$/m.exec(frame)![1]),
    event: /^event: ?(.*)$/m.exec(frame)![1]!,
    data: JSON.parse(/^data: ?(.*)$/m.exec(frame)![1]!),
  }));
}

/** Asks again until `probe` gives something; the only waiting that these tests do is for other processes. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found;
    assert.ok(Date.now() < end, `${what}: did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** An operation as a template's JSON. */
export function operation(
  name: string,
  key: string,
  input: unknown = {},
  extra: Readonly<Record<string, unknown>> = {},
): unknown {
  return { type: "operation", props: { name, key, input, ...extra }, children: [] };
}

export function container(
  type: string,
  children: readonly unknown[],
  props: Readonly<Record<string, unknown>> = {},
): unknown {
  return { type, props, children };
}
