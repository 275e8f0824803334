import { openPostgres } from "../../src/storage/postgres_database.ts";
import { startCluster } from "./cluster.ts";
import { putTemplates, startLoad } from "./load.ts";

const SECONDS = 8;
/** So many that a commit is worth its while on each hub. */
const CLIENTS_A_HUB = 64;

/** Runs a second that one, two and three hubs end, over HTTP, on this machine's cores; gives the exit code. */
export async function throughput(say: (text: string) => void): Promise<number> {
  say(`${navigator.hardwareConcurrency} cores for hubs, database and clients together`);
  for (const hubs of [1, 2, 3]) {
    await using cluster = await startCluster({ hubs, spokes: 0 });
    if (cluster === null) return 2;
    await putTemplates(cluster.hubs[0]!, cluster.key, true);
    const load = startLoad({
      hubs: cluster.hubs,
      key: cluster.key,
      clients: CLIENTS_A_HUB * hubs,
      pauseMs: 0,
      localOnly: true,
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const db = openPostgres({ url: cluster.postgres.url, max: 1 });
    const ended = async (): Promise<number> =>
      (await db.query<{ n: number }>("select count(*)::float8 as n from runs where status = 'completed'"))[0]?.n ?? 0;
    const [before, at] = [await ended(), Date.now()];
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
    const rate = (await ended() - before) / ((Date.now() - at) / 1_000);
    await load.stop();
    await db.close();
    say(`${hubs} ${hubs === 1 ? "hub" : "hubs"}: ${Math.round(rate)} runs of 3 steps a second`);
  }
  return 0;
}
