import type { Cluster } from "./cluster.ts";

/** Uniform in [0, 1), from a seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Fault = (cluster: Cluster, random: () => number) => Promise<void>;

const FAULTS: Readonly<Record<string, readonly [weight: number, fault: Fault]>> = {
  "kill -9 a hub": [4, (cluster, random) => {
    pick(cluster.hubs, random).kill("SIGKILL");
    return Promise.resolve();
  }],
  "SIGTERM a hub": [2, (cluster, random) => {
    pick(cluster.hubs, random).kill("SIGTERM");
    return Promise.resolve();
  }],
  "SIGSTOP a hub past its lease": [2, async (cluster, random) => {
    const hub = pick(cluster.hubs, random);
    hub.suspend();
    await pause(7_000 + random() * 5_000);
    hub.resume();
  }],
  "SIGSTOP a hub for less than its lease": [1, async (cluster, random) => {
    const hub = pick(cluster.hubs, random);
    hub.suspend();
    await pause(1_000 + random() * 3_000);
    hub.resume();
  }],
  "kill -9 a spoke": [4, (cluster, random) => {
    pick(cluster.spokes, random).kill();
    return Promise.resolve();
  }],
  "cut a spoke's socket": [4, (cluster, random) => {
    pick(cluster.spokes, random).proxy.cut();
    return Promise.resolve();
  }],
  "cut the sockets to Redis": [2, (cluster) => {
    cluster.redisProxy.cut();
    return Promise.resolve();
  }],
  "kill -9 Redis": [1, async (cluster, random) => {
    await cluster.redis.kill();
    await pause(random() * 4_000);
    await cluster.redis.start();
  }],
  "crash PostgreSQL": [1, async (cluster, random) => {
    await cluster.postgres.crash();
    await pause(random() * 2_000);
    await cluster.postgres.start();
  }],
};

/** Lets things fail, one after the other, until `endsAt`; gives how often each did. */
export async function letFail(
  cluster: Cluster,
  params: { readonly endsAt: number; readonly random: () => number; readonly say: (text: string) => void },
): Promise<ReadonlyMap<string, number>> {
  const { endsAt, random, say } = params;
  const counts = new Map<string, number>();
  while (Date.now() < endsAt) {
    await pause(500 + random() * 3_000);
    const name = choose(random);
    say(name);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    await FAULTS[name]![1](cluster, random);
  }
  return counts;
}

function choose(random: () => number): string {
  const entries = Object.entries(FAULTS);
  let rest = random() * entries.reduce((sum, [, [weight]]) => sum + weight, 0);
  for (const [name, [weight]] of entries) {
    rest -= weight;
    if (rest < 0) return name;
  }
  return entries[0]![0];
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
