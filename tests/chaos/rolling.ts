import { check } from "./check.ts";
import type { Cluster } from "./cluster.ts";
import { putTemplates, startLoad } from "./load.ts";

const ROUNDS = 2;
const BETWEEN_MS = 4_000;

/** SIGTERM to one hub after the other under load; gives the violations. */
export async function rollingRestart(cluster: Cluster, say: (text: string) => void): Promise<readonly string[]> {
  await putTemplates(cluster.hubs[0]!, cluster.key);
  const load = startLoad({ hubs: cluster.hubs, key: cluster.key, clients: 8, pauseMs: 120 });
  await pause(BETWEEN_MS);
  say(`before: longest wait for an acknowledgement ${load.longestStallMs()} ms`);
  const watch = startWatching(cluster, load.acknowledged);
  load.resetStall();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, hub] of cluster.hubs.entries()) {
      const starts = hub.starts;
      hub.kill("SIGTERM");
      while (hub.starts === starts) await pause(50);
      await pause(BETWEEN_MS);
      say(
        `hub ${i} restarted: longest wait for an acknowledgement ${load.longestStallMs()} ms, slowest run ${watch()} ms`,
      );
    }
  }
  await load.stop();
  const { violations, settledMs, repeated, executions } = await check(cluster, load.acknowledged);
  say(
    `${load.acknowledged.length} runs acknowledged, ${load.refused()} attempts refused, all ended ${settledMs} ms later`,
  );
  say(`longest wait for an acknowledgement ${load.longestStallMs()} ms, slowest run ${watch()} ms`);
  say(`${executions} executions, ${repeated} repeated before an outcome`);
  for (const violation of violations) say(`VIOLATION ${violation}`);
  return violations;
}

/** Waits for some runs from their acknowledgement on; gives the longest that one has taken, in ms. */
function startWatching(cluster: Cluster, acknowledged: readonly { readonly runId: string }[]): () => number {
  let slowest = 0;
  let seen = acknowledged.length;
  setInterval(() => {
    const fresh = acknowledged.slice(seen);
    seen = acknowledged.length;
    const run = fresh[0];
    if (run === undefined) return;
    const since = Date.now();
    void untilEnded(cluster, run.runId).then(() => slowest = Math.max(slowest, Date.now() - since));
  }, 100);
  return () => slowest;
}

async function untilEnded(cluster: Cluster, runId: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    const hub = cluster.hubs[attempt % cluster.hubs.length]!;
    try {
      const response = await fetch(`${hub.url}/api/runs/${runId}`, {
        headers: { authorization: `Bearer ${cluster.key}`, prefer: "wait=5" },
      });
      const run = await response.json() as { readonly status?: string };
      if (response.ok && run.status !== "running") return;
    } catch {
      // This hub is being restarted.
    }
    await pause(50);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
