import { migrate } from "../../src/storage/migrate.ts";
import { openEmbedded } from "../../src/storage/embedded_database.ts";
import { chain, openBenchEngine } from "./bench_engine.ts";
import { load, median } from "./measure.ts";
import type { Report } from "./report.ts";

const RUNS = 2000;
const SEQ3 = chain(3);

/** The default without a server: the embedded database in a folder. `dbosRate`: DBOS's on a PostgreSQL server. */
export async function benchEmbedded(report: Report, dbosRate: number | null): Promise<void> {
  report.section("Engine in this process, on the embedded database in a folder");
  const dataDir = await Deno.makeTempDir({ prefix: "hub-bench-embedded-" });
  const db = await openEmbedded({ dataDir });
  await migrate(db);
  const engine = await openBenchEngine(db);
  try {
    await load(RUNS, 50, () => engine.run(SEQ3));
    const rates: number[] = [];
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      await load(RUNS, 50, () => engine.run(SEQ3));
      rates.push(RUNS * 1000 / (performance.now() - start));
    }
    report.add({
      name: "engine, runs of 3 steps, 50 in flight",
      value: median(rates),
      unit: "runs/s",
      ...(dbosRate === null ? {} : {
        ratio: { of: "DBOS on PostgreSQL", value: median(rates) / dbosRate },
        goal: { atLeast: 1 },
      }),
    });
    const alone = median(await load(300, 1, () => engine.run(SEQ3)));
    report.add({ name: "engine, one at a time, p50", value: alone, unit: "ms" });
  } finally {
    await engine.close();
    await db.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}
