import type { TestDatabase } from "../support/test_database.ts";
import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { median, quantile } from "./measure.ts";
import { openPortkey } from "./peers/portkey.ts";
import type { Report } from "./report.ts";

const RATE = 200;
const FAKE = new URL("../support/fake_provider/main.ts", import.meta.url).pathname;

/** Where calls of a model are sent. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The proxy beside the direct call and beside Portkey's gateway, against one fake provider in a process of its own. The latency
 * that is added is the difference of medians of calls that come at a steady rate, whoever is slow.
 */
export async function benchProxy(report: Report, database: TestDatabase): Promise<void> {
  report.section(`Calls of a model through the hub, at ${RATE} a second`);
  await using fake = await startFake();
  await using hub = await startProxy(fake.url, database);
  const portkey = await openPortkey(report);
  const direct: Target = { url: fake.url, headers: { authorization: "Bearer sk-fake" } };
  const through = targetOf(hub);
  const beside: Target | null = portkey && {
    url: portkey.url,
    headers: {
      authorization: "Bearer sk-fake",
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${fake.url}/v1`,
    },
  };
  try {
    for (const stream of [false, true]) {
      const what = stream ? "first token of a stream" : "whole answer";
      await steady(direct, stream, 1);
      await steady(through, stream, 2);
      const floor = await steady(direct, stream, 5);
      const ours = await steady(through, stream, 5);
      const theirs = beside && await orNote(report, what, async () => {
        await steady(beside, stream, 2);
        return await steady(beside, stream, 5);
      });
      for (const [name, p, atMost] of [["p50", 0.5, 1.5], ["p99", 0.99, 4]] as const) {
        const added = quantile(ours, p) - quantile(floor, p);
        report.add({ name: `${what}, added latency ${name}`, value: added, unit: "ms", goal: { atMost } });
        if (theirs === null) continue;
        const peer = quantile(theirs, p) - quantile(floor, p);
        const ratio = { of: "Portkey", value: added / peer };
        report.add({ name: `Portkey's ${name}`, value: peer, unit: "ms", ratio, goal: { atMost: 1 } });
      }
    }
    const ours = await flood(through);
    const theirs = beside && await orNote(report, "throughput", () => flood(beside));
    report.add({
      name: "throughput, 32 at once",
      value: ours,
      unit: "calls/s",
      ...(theirs !== null && { ratio: { of: "Portkey", value: ours / theirs }, goal: { atLeast: 1 } }),
    });
  } finally {
    await portkey?.close();
  }
}

/** A hub with the fake provider, in a process of its own. */
export async function startProxy(fakeUrl: string, database: TestDatabase): Promise<HubProcess> {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-bench-proxy-" });
  const config = { egress: { allowPrivate: [new URL(fakeUrl).host] } };
  await Deno.writeTextFile(`${dataDir}/config.jsonc`, JSON.stringify(config));
  const hub = await startHubProcess({ dataDir, env: { HUB_DATABASE_URL: database.url ?? "" } });
  const provider = { type: "llm-provider", kind: "openai", baseUrl: `${fakeUrl}/v1`, keys: ["sk-fake"] };
  const added = await hub.api("PUT", "/api/clients/fake", { body: { ...provider, models: [{ id: "fake-large" }] } });
  if (added.status >= 300) throw new Error(`The provider was not added: ${JSON.stringify(added.body)}`);
  return hub;
}

export function targetOf({ url, key }: HubProcess): Target {
  return { url, headers: { authorization: `Bearer ${key}` } };
}

/** A peer's figure; null, with a note, where the peer fails. */
async function orNote<T>(report: Report, what: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    report.note(`Portkey, ${what}: not measured (${error instanceof Error ? error.message : String(error)})`);
    return null;
  }
}

/** Calls at a steady rate for some seconds: ms of each until the answer, or until a stream's first token. */
async function steady(target: Target, stream: boolean, seconds: number): Promise<readonly number[]> {
  const taken: Promise<number>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < RATE * seconds; sent++) {
    const due = start + sent * 1000 / RATE;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const call = timed(target, stream);
    call.catch(() => {}); // told when all are awaited
    taken.push(call);
  }
  return await Promise.all(taken);
}

export async function timed({ url, headers }: Target, stream: boolean): Promise<number> {
  const before = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      model: "fake-large",
      stream,
      messages: [{ role: "user", content: "say:one two three four" }],
    }),
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${url} answers ${response.status}: ${(await response.text()).slice(0, 300)}`);
  }
  let text = "";
  let first: number | null = null;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (first === null && text.includes("one")) first = performance.now() - before;
  }
  if (first === null) throw new Error(`${url} does not answer what was asked: ${text.slice(0, 300)}`);
  return stream ? first : performance.now() - before;
}

async function flood(target: Target): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    let left = 1_000;
    const before = performance.now();
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (left-- > 0) await timed(target, false);
    }));
    rates.push(1_000_000 / (performance.now() - before));
  }
  return median(rates);
}

export async function startFake(): Promise<{ readonly url: string } & AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", FAKE, "--port", "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = (child.stdout as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    url: value.trim(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
