/** A real hub in front of fake providers, for tests of the proxy. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { FakeProvider, type FakeProviderOptions } from "../support/fake_provider/fake_provider.ts";
import { type HubProcess, startHubProcess } from "./_hub_process.ts";

export const PRICES = { inputMicrosPerMTok: 3_000_000, outputMicrosPerMTok: 15_000_000 } as const;

export interface ProxyWorld {
  readonly hub: HubProcess;
  readonly providers: readonly FakeProvider[];
  /** OpenAI's own client, pointed at the hub; without retries of its own. */
  readonly client: OpenAI;
  clientOf(key: string, headers?: Record<string, string>): OpenAI;
  addProvider(provider: FakeProvider, settings: ProviderSettings): Promise<void>;
  policy(policy: unknown): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ProviderSettings {
  readonly name: string;
  readonly kind?: string;
  readonly keys?: readonly string[];
  readonly models: readonly Record<string, unknown>[];
  readonly timeoutMs?: number;
}

/** A hub with as many providers as `options`; none of them is added to it yet. */
export async function proxyWorld(
  options: readonly FakeProviderOptions[] = [{}],
  { env = {}, dataDir, config = {} }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly dataDir?: string;
    /** Of the hub, beside what lets it reach the providers. */
    readonly config?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<ProxyWorld> {
  const providers = options.map((one) => new FakeProvider(one));
  const dir = dataDir ?? await Deno.makeTempDir({ prefix: "hub-proxy-" });
  const allowPrivate = providers.map(({ url }) => new URL(url).host);
  await Deno.writeTextFile(`${dir}/config.jsonc`, JSON.stringify({ ...config, egress: { allowPrivate } }));
  const hub = await startHubProcess({ dataDir: dir, env });
  const clientOf = (apiKey: string, headers: Record<string, string> = {}): OpenAI =>
    new OpenAI({ baseURL: `${hub.url}/v1`, apiKey, maxRetries: 0, defaultHeaders: headers });
  return {
    hub,
    providers,
    client: clientOf(hub.key),
    clientOf,
    async addProvider(provider, { name, kind = "openai", keys = ["sk-fake-1"], models, timeoutMs }) {
      const baseUrl = kind === "anthropic" ? provider.url : `${provider.url}/v1`;
      const body = {
        type: "llm-provider",
        kind,
        baseUrl,
        keys,
        models,
        ...(timeoutMs !== undefined && { timeoutMs }),
      };
      const answer = await hub.api("PUT", `/api/clients/${name}`, { body });
      assert.ok(answer.status < 300, JSON.stringify(answer.body));
    },
    async policy(policy) {
      const answer = await hub.api("PUT", "/api/inference/policy", { body: policy });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
    },
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      for (const provider of providers) await provider.stop();
    },
  };
}

/** A run of the proxy as the API shows it, once it has ended. */
export async function endedRun(hub: HubProcess, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { body, status } = await hub.api("GET", `/api/runs/${id}`);
    if (status === 200 && body["completedAt"] !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
